//! A broadcaster that speaks TLS, and HTTP/2 to it, frame by frame.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use crate::command::Broadcaster;
use crate::siege::{METRIC, connect, serve};

/// A broadcaster with a certificate of its own, and what its clients trust.
pub(crate) struct Secured {
    pub(crate) wall: Broadcaster,
    pub(crate) folder: TempDir,
    roots: Arc<RootCertStore>,
}

pub(crate) type Secure = StreamOwned<ClientConnection, TcpStream>;

impl Secured {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::write(path("cert.pem"), pair.cert.pem()).unwrap();
        fs::write(path("key.pem"), pair.signing_key.serialize_pem()).unwrap();
        let wall = serve(&["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")]);
        let mut roots = RootCertStore::empty();
        roots.add(pair.cert.der().clone()).unwrap();
        Self { wall, folder, roots: Arc::new(roots) }
    }

    /// A connection whose handshake is done.
    pub(crate) fn connect(&self, speaks: &str) -> Secure {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(self.roots.clone()).with_no_client_auth();
        config.alpn_protocols = vec![speaks.into()];
        let name = "localhost".try_into().unwrap();
        let mut socket = connect(&self.wall);
        let mut session = ClientConnection::new(Arc::new(config), name).unwrap();
        session.complete_io(&mut socket).unwrap();
        assert_eq!(session.alpn_protocol(), Some(speaks.as_bytes()));
        StreamOwned::new(session, socket)
    }

    /// A connection that begins as HTTP/2 has it, with a window of so many bytes for every answer.
    pub(crate) fn http2(&self, window: u32) -> Secure {
        let mut socket = self.connect("h2");
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        // SETTINGS_INITIAL_WINDOW_SIZE; the connection's own is as large as can be.
        socket.write_all(&frame(SETTINGS, 0, 0, &[&[0, 4][..], &window.to_be_bytes()].concat())).unwrap();
        socket.write_all(&frame(WINDOW_UPDATE, 0, 0, &0x7fff_0000_u32.to_be_bytes())).unwrap();
        socket
    }

    /// The head of a GET (RFC 7541: three from the static table, two in letters).
    pub(crate) fn head(path: &str) -> Vec<u8> {
        let letters = |name: u8, value: &str| [&[name, value.len() as u8], value.as_bytes()].concat();
        [vec![0x82, 0x87], letters(4, path), letters(1, "localhost")].concat()
    }

    pub(crate) fn publish(&self) {
        let mut socket = self.connect("http/1.1");
        let length = METRIC.len();
        write!(socket, "POST /publish HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{METRIC}").unwrap();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        assert!(String::from_utf8_lossy(&answer).contains("\"accepted\":1"));
    }
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
