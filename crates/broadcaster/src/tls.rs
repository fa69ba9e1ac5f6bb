use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its key, for connections over TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
#[derive(Debug, Clone)]
pub struct Tls(pub(crate) Arc<ServerConfig>);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of what it should.
    #[error("{}: expected {expected}: {cause}", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
        /// What was found.
        cause: rustls::pki_types::pem::Error,
    },
    /// The file has no certificate in it.
    #[error("{}: expected a certificate chain in PEM, found no certificate", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// The two do not go together.
    #[error("{} and {}: {cause}", cert.display(), key.display())]
    Pair {
        /// The certificate.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// What is wrong.
        cause: rustls::Error,
    },
}

impl Tls {
    /// Reads a certificate chain and its private key, both in PEM.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let wrong = |path: &Path, expected| {
            let path = path.to_owned();
            move |cause| TlsError::Pem { path, expected, cause }
        };
        let chain = CertificateDer::pem_file_iter(cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(wrong(cert, "a certificate chain in PEM"))?;
        if chain.is_empty() {
            return Err(TlsError::Empty { path: cert.to_owned() });
        }
        let private = PrivateKeyDer::from_pem_file(key).map_err(wrong(key, "a private key in PEM"))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
        let pair = |cause| TlsError::Pair { cert: cert.to_owned(), key: key.to_owned(), cause };
        let mut config = config.map_err(pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}
