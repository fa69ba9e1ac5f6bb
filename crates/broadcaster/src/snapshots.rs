use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Packed columns that are kept: the newest, and some before it for pages that still fetch them.
const KEPT: usize = 4;

/// Embedding columns as the renderer reads them, packed and compressed once.
#[derive(Debug)]
pub(crate) struct Packed {
    /// Checksum of the bytes, so that the same points are the same resource.
    pub(crate) id: String,
    pub(crate) bytes: Bytes,
    /// The same bytes, gzipped, where that makes them smaller.
    pub(crate) gzip: Option<Bytes>,
}

impl Packed {
    pub(crate) fn new(bytes: Bytes) -> Self {
        let digest = Sha256::digest(&bytes);
        let id = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        let gzip = encoder.write_all(&bytes).and_then(|()| encoder.finish()).ok();
        let gzip = gzip.filter(|gzip| gzip.len() < bytes.len()).map(Bytes::from);
        Self { id, bytes, gzip }
    }

    /// Where it is served.
    pub(crate) fn url(&self) -> String {
        format!("/snapshots/{}", self.id)
    }
}

/// The newest packed columns.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(VecDeque<Arc<Packed>>);

impl Snapshots {
    pub(crate) fn keep(&mut self, packed: Packed) {
        self.0.retain(|kept| kept.id != packed.id);
        self.0.push_front(Arc::new(packed));
        self.0.truncate(KEPT);
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Packed>> {
        self.0.iter().find(|kept| kept.id == id).cloned()
    }
}
