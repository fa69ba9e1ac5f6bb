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
        let id = id(&bytes);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        let gzip = encoder.write_all(&bytes).and_then(|()| encoder.finish()).ok();
        let gzip = gzip.filter(|gzip| gzip.len() < bytes.len()).map(Bytes::from);
        Self { id, bytes, gzip }
    }

    /// As it was saved; `None` if these are not the bytes of that id.
    pub(crate) fn again(name: &str, bytes: Bytes, gzip: Option<Bytes>) -> Option<Self> {
        (id(&bytes) == name).then(|| Self { id: name.to_owned(), bytes, gzip })
    }

    /// Where it is served.
    pub(crate) fn url(&self) -> String {
        format!("/snapshots/{}", self.id)
    }
}

fn id(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The newest packed columns.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    /// The newest first.
    kept: VecDeque<Arc<Packed>>,
    /// They are not what they were when they were asked for.
    changed: bool,
}

impl Snapshots {
    /// As they were saved, the newest first.
    pub(crate) fn again(packed: Vec<Packed>) -> Self {
        Self { kept: packed.into_iter().map(Arc::new).collect(), changed: false }
    }

    pub(crate) fn keep(&mut self, packed: Packed) {
        self.changed |= self.kept.front().is_none_or(|newest| newest.id != packed.id);
        self.kept.retain(|kept| kept.id != packed.id);
        self.kept.push_front(Arc::new(packed));
        self.kept.truncate(KEPT);
    }

    pub(crate) fn bytes(&self) -> usize {
        let bytes = |packed: &Arc<Packed>| packed.bytes.len() + packed.gzip.as_ref().map_or(0, Bytes::len);
        self.kept.iter().map(bytes).sum()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Packed>> {
        self.kept.iter().find(|kept| kept.id == id).cloned()
    }

    /// All of them, the newest first, if they changed since the last call.
    pub(crate) fn changes(&mut self) -> Option<Vec<Arc<Packed>>> {
        std::mem::take(&mut self.changed).then(|| self.kept.iter().cloned().collect())
    }
}
