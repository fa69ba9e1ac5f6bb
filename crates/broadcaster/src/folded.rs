use events::{Event, Kind, Snapshot};

use crate::Frame;
use crate::series::AllSeries;
use crate::sticky::Content;

/// What events are folded into.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) fleet: Fleet,
    pub(crate) series: AllSeries,
}

/// The snapshot that episodes are folded into, and its frame once somebody asked for it.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    pub(crate) snapshot: Snapshot<'static>,
    pub(crate) frame: Option<Frame>,
}

impl Folded {
    /// The frame of a sticky entry, for readers that have everything up to `since`.
    pub(crate) fn frame(&mut self, seq: u64, kind: Kind, content: &Content, since: u64) -> Frame {
        match (content, kind) {
            (Content::Frame(frame), _) => frame.clone(),
            (Content::Folded(series), Kind::MetricPoints) => self.series.frame(*series, seq, since),
            (Content::Folded(_), kind) => self.fleet.frame(kind, seq),
        }
    }
}

impl Fleet {
    fn frame(&mut self, kind: Kind, seq: u64) -> Frame {
        let render = || {
            // A snapshot is a plain struct with string keys: it serializes.
            let json = serde_json::to_string(&Event::Snapshot(self.snapshot.clone())).unwrap_or_default();
            Frame::event(seq, kind, json.as_bytes())
        };
        self.frame.get_or_insert_with(render).clone()
    }
}
