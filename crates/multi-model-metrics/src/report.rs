use std::path::{Path, PathBuf};
use std::{fs, io};

use events::{Event, ModelMetric, ModelPerf, Name, Positive, Unit};
use serde::Deserialize;

use crate::Model;

/// Larger files are not reports.
const LARGEST: u64 = 4 << 20;

/// What a report says of its model.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Macro F1, with its interval if the report has one.
    pub macro_f1: Estimate<Unit>,
    /// Time to classify one window, in microseconds.
    pub latency_us: Option<Positive>,
}

/// A number, and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate<T> {
    /// The number.
    pub point: T,
    /// Lower and upper end of its interval.
    pub interval: Option<(T, T)>,
}

/// Why a model has no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Neither file is there.
    #[error("neither {0} nor the train report beside it is there")]
    Missing(PathBuf),
    /// A file is there, but cannot be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Not JSON, or cut off.
    #[error("{path}: {error}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and what.
        error: serde_json::Error,
    },
    /// A field does not say what it must.
    #[error("{path}: {field}: expected {expected}, got {got}")]
    Field {
        /// The file.
        path: PathBuf,
        /// Its field.
        field: &'static str,
        /// What belongs there.
        expected: String,
        /// What is there.
        got: String,
    },
}

/// The fields that are read of a report, which holds more.
#[derive(Deserialize)]
struct Fields {
    macro_f1: Option<Number>,
    latency_us: Option<Number>,
}

/// `0.5` or `{"point": 0.5, "low": 0.4, "high": 0.6}`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or {\"point\", \"low\", \"high\"}")]
enum Number {
    Plain(f64),
    Interval { point: f64, low: f64, high: f64 },
}

impl Report {
    /// Reads a model's eval report, or its train report where there is none.
    pub fn read(folder: &Path, model: Model) -> Result<Self, ReportError> {
        let eval = folder.join(format!("{}_eval.json", model.name()));
        let train = folder.join(format!("{}_train.json", model.name()));
        match load(&eval)? {
            Some(text) => Self::parse(&eval, &text),
            None => match load(&train)? {
                Some(text) => Self::parse(&train, &text),
                None => Err(ReportError::Missing(eval)),
            },
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ReportError> {
        let fields: Fields =
            serde_json::from_str(text).map_err(|error| ReportError::Json { path: path.to_owned(), error })?;
        let wrong = |field, expected: &str, got: String| {
            let (path, expected) = (path.to_owned(), expected.to_owned());
            ReportError::Field { path, field, expected, got }
        };
        let f1 =
            fields.macro_f1.ok_or_else(|| wrong("macro_f1", "a number from 0 to 1", "nothing".to_owned()))?;
        let unit = |number: f64| {
            Unit::new(number).map_err(|error| wrong("macro_f1", "a number from 0 to 1", said(&error)))
        };
        let macro_f1 = match f1 {
            Number::Plain(point) => Estimate { point: unit(point)?, interval: None },
            Number::Interval { point, low, high } if low <= high => {
                Estimate { point: unit(point)?, interval: Some((unit(low)?, unit(high)?)) }
            }
            Number::Interval { low, high, .. } => {
                return Err(wrong("macro_f1", "low <= high", format!("low {low}, high {high}")));
            }
        };
        let latency_us = fields.latency_us.map(|(Number::Plain(point) | Number::Interval { point, .. })| {
            Positive::new(point).map_err(|error| wrong("latency_us", "a number greater than 0", said(&error)))
        });
        Ok(Self { macro_f1, latency_us: latency_us.transpose()? })
    }

    /// The events that put the report on the wall.
    pub fn events(&self, model: Model) -> Vec<Event<'static>> {
        // The names are a few bytes of ASCII: they fit.
        let Ok(name) = Name::new(model.name()) else { return vec![] };
        let Estimate { point: accuracy, interval } = self.macro_f1;
        let (low, high) = interval.unzip();
        let metric = ModelMetric { model: name.clone(), accuracy, low, high };
        let perf = self.latency_us.map(|latency_us| ModelPerf { model: name, latency_us, accuracy }.into());
        [Some(metric.into()), perf].into_iter().flatten().collect()
    }
}

fn said(error: &impl ToString) -> String {
    let sentence = error.to_string();
    sentence.rsplit_once("got ").map_or(sentence.clone(), |(_, got)| got.to_owned())
}

/// The text of a file; `None` if it is not there.
fn load(path: &Path) -> Result<Option<String>, ReportError> {
    let text = fs::metadata(path).and_then(|metadata| match metadata.len() {
        0..=LARGEST => fs::read_to_string(path),
        bytes => Err(io::Error::other(format!("{bytes} bytes are no report"))),
    });
    match text {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ReportError::Read { path: path.to_owned(), error }),
    }
}
