use std::borrow::Cow;

use memchr::memchr_iter;
use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::refusal::Fault;
use crate::{Event, Kind, Refusal};

/// How events stand in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One event, or an array of events.
    Json,
    /// One event a line; empty lines are passed over.
    Ndjson,
}

/// The events of one body, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch<'a> {
    /// The events.
    pub items: Vec<Item<'a>>,
}

/// One event and how it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<'a> {
    /// The checked event.
    pub event: Event<'a>,
    /// Its JSON object on one line, as the producer wrote it.
    pub json: Cow<'a, str>,
}

/// Reads and checks a whole body: every event is good, or the body is refused.
///
/// One pass over good input, borrowing from it; a refused event is read again, slowly, to say
/// exactly what is wrong with it. `limit` bounds the events of one body.
pub fn decode(format: Format, body: &[u8], limit: usize) -> Result<Batch<'_>, Refusal> {
    let body = std::str::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
    let items = match format {
        Format::Ndjson => ndjson(body, limit)?,
        Format::Json if body.trim_start().starts_with('[') => array(body, limit)?,
        Format::Json => vec![item(body.trim()).map_err(|wrong| wrong.in_body(body, body.trim(), 0))?],
    };
    Ok(Batch { items })
}

fn ndjson(body: &str, limit: usize) -> Result<Vec<Item<'_>>, Refusal> {
    let lines = memchr_iter(b'\n', body.as_bytes()).count() + 1;
    let mut items = Vec::with_capacity(lines.min(limit));
    let mut start = 0;
    for end in memchr_iter(b'\n', body.as_bytes()).chain([body.len()]) {
        let line = body[start..end].trim();
        start = end + 1;
        if line.is_empty() {
            continue;
        }
        if items.len() == limit {
            let rest = body[end..].lines().filter(|line| !line.trim().is_empty()).count();
            return Err(Refusal::TooMany { got: limit + 1 + rest, limit });
        }
        items.push(item(line).map_err(|wrong| wrong.in_body(body, line, items.len()))?);
    }
    Ok(items)
}

fn array(body: &str, limit: usize) -> Result<Vec<Item<'_>>, Refusal> {
    let raw: Vec<&RawValue> = serde_json::from_str(body).map_err(|error| syntax(&error))?;
    if raw.len() > limit {
        return Err(Refusal::TooMany { got: raw.len(), limit });
    }
    raw.into_iter()
        .enumerate()
        .map(|(index, raw)| item(raw.get()).map_err(|wrong| wrong.in_body(body, raw.get(), index)))
        .collect()
}

/// Reads one value that is no event. `O` is the same type, borrowing nothing: where the body is refused it is read again as
/// that, to say what is wrong with it.
pub(crate) fn located<'a, T, O>(body: &'a [u8]) -> Result<T, Refusal>
where
    T: Deserialize<'a>,
    O: Deserialize<'static>,
{
    let text = std::str::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
    serde_json::from_str(text).map_err(|error| match serde_json::from_str::<Value>(text) {
        Err(error) => syntax(&error),
        Ok(value) => match serde_path_to_error::deserialize::<_, O>(value.clone()) {
            Err(error) => fault(pointer(error.path()), &error.inner().to_string(), &value).at(0),
            // Only the text itself is wrong then: a field that stands in it twice.
            Ok(_) => Fault::new("", "every field once", error).at(0),
        },
    })
}

/// What is wrong with the text of one event.
enum Wrong {
    Syntax(serde_json::Error),
    Fault(Fault),
}

impl Wrong {
    /// `text` is a part of `body`: places in it become places in the body.
    fn in_body(self, body: &str, text: &str, index: usize) -> Refusal {
        let error = match self {
            Self::Fault(fault) => return fault.at(index),
            Self::Syntax(error) => error,
        };
        let before = &body[..text.as_ptr() as usize - body.as_ptr() as usize];
        let last_line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let Refusal::Syntax { line, column, reason } = syntax(&error) else { unreachable!() };
        Refusal::Syntax {
            line: line + before.matches('\n').count(),
            column: if line == 1 { column + before.len() - last_line } else { column },
            reason,
        }
    }
}

fn item(text: &str) -> Result<Item<'_>, Wrong> {
    match serde_json::from_str::<Event<'_>>(text) {
        Ok(event) => {
            event.check().map_err(Wrong::Fault)?;
            Ok(Item { event, json: one_line(text) })
        }
        Err(error) => Err(explain(text, error)),
    }
}

/// Reads a refused event again to say what is wrong with it.
fn explain(text: &str, error: serde_json::Error) -> Wrong {
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value) => value,
        Err(error) => return Wrong::Syntax(error),
    };
    let Value::Object(mut fields) = value else {
        return Wrong::Fault(Fault::new("", "an event: an object with a `type`", show(&value)));
    };
    let tag = fields.remove("type");
    let Some(kind) = tag.as_ref().and_then(Value::as_str).and_then(Kind::from_name) else {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        let expected = format!("one of {}", names.join(", "));
        return Wrong::Fault(Fault::new("/type", expected, tag.as_ref().map_or("nothing".to_owned(), show)));
    };
    let mut track = serde_path_to_error::Track::new();
    let fields = Value::Object(fields);
    let tracked = serde_path_to_error::Deserializer::new(fields.clone(), &mut track);
    match Event::of_kind(kind, tracked) {
        Err(error) => Wrong::Fault(fault(pointer(&track.path()), &error.to_string(), &fields)),
        // Only the text itself is wrong then: a field that stands in it twice.
        Ok(_) => Wrong::Fault(Fault::new("", "every field once", error)),
    }
}

/// Takes serde's sentence apart: it says what was expected; what came is in the event itself.
fn fault(pointer: String, message: &str, event: &Value) -> Fault {
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    if message.starts_with("missing field") {
        return Fault::new(format!("{pointer}/{}", quoted()), "a value: the field is required", "nothing");
    }
    let expected = message.rsplit_once("expected ").map_or(message, |(_, expected)| expected);
    if message.starts_with("unknown field") {
        let fields = expected.trim_start_matches("one of ").replace('`', "");
        return Fault::new(pointer, format!("one of the fields {fields}"), format!("{:?}", quoted()));
    }
    let expected = match expected {
        "i64" => "a whole number".to_owned(),
        "u8" => format!("a whole number from 0 to {}", u8::MAX),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" => "a whole number, 0 or more".to_owned(),
        other => other.replace('`', ""),
    };
    let got = event.pointer(&pointer).map_or_else(|| message.to_owned(), show);
    Fault::new(pointer, expected, got)
}

/// A value as it came, cut where it gets long.
fn show(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], text.len()),
        None => text,
    }
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

fn syntax(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    let reason = match (error.classify(), text.rsplit_once(" at line ")) {
        (Category::Eof, _) => "the body ends in the middle of a value".to_owned(),
        (_, Some((reason, _))) => reason.to_owned(),
        (_, None) => text,
    };
    Refusal::Syntax { line: error.line().max(1), column: error.column().max(1), reason }
}

fn not_utf8(body: &[u8], at: usize) -> Refusal {
    let before = &body[..at];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    Refusal::Syntax {
        line: 1 + memchr_iter(b'\n', before).count(),
        column: at - line_start + 1,
        reason: "not UTF-8".to_owned(),
    }
}

/// The same JSON without line breaks, which only stand between tokens: frames of an event stream
/// end at one.
fn one_line(json: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\n', b'\r', json.as_bytes()).is_none() {
        return Cow::Borrowed(json);
    }
    Cow::Owned(json.chars().filter(|char| !matches!(char, '\n' | '\r')).collect())
}
