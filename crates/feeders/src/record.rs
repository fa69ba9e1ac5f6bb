use std::str;

use events::{Alert, Episode, Name, Text, Timestamp};
use serde::Deserialize;

/// A line of `index.jsonl`. Fields that a receiver adds are its own.
#[derive(Deserialize)]
struct IndexLine<'a> {
    #[serde(borrow)]
    episode_id: Name<'a>,
    #[serde(borrow)]
    host_id: Name<'a>,
    #[serde(borrow)]
    sha256: Name<'a>,
    size_bytes: u64,
    #[serde(borrow)]
    received_at_wall: Timestamp<'a>,
}

/// A line of `alerts.jsonl`, likewise.
#[derive(Deserialize)]
struct AlertLine<'a> {
    #[serde(borrow)]
    host: Name<'a>,
    #[serde(borrow)]
    symptom: Text<'a>,
    #[serde(borrow)]
    detail: Text<'a>,
    #[serde(borrow)]
    suggested_fix: Text<'a>,
    #[serde(borrow)]
    detected_at_wall: Timestamp<'a>,
    #[serde(borrow)]
    dedup_key: Name<'a>,
}

/// The episode of a line of `index.jsonl` at this place; `None` of an empty line.
pub(crate) fn episode(place: u64, line: &[u8]) -> Result<Option<Episode<'_>>, String> {
    let line: Option<IndexLine<'_>> = read(line)?;
    Ok(line.map(|line| Episode {
        episode_id: line.episode_id,
        host_id: line.host_id,
        sha256: line.sha256,
        size_bytes: line.size_bytes,
        received_at: line.received_at_wall,
        offset: Some(place),
    }))
}

/// The alert of a line of `alerts.jsonl`.
pub(crate) fn alert(line: &[u8]) -> Result<Option<Alert<'_>>, String> {
    let line: Option<AlertLine<'_>> = read(line)?;
    Ok(line.map(|line| Alert {
        host: line.host,
        symptom: line.symptom,
        detail: line.detail,
        suggested_fix: line.suggested_fix,
        detected_at: line.detected_at_wall,
        dedup_key: line.dedup_key,
    }))
}

fn read<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<Option<T>, String> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let line = str::from_utf8(line).map_err(|error| error.to_string())?;
    serde_json::from_str(line).map(Some).map_err(|error| match error.to_string().rsplit_once(" at line ") {
        Some((what, _)) => format!("column {}: {what}", error.column()),
        None => error.to_string(),
    })
}
