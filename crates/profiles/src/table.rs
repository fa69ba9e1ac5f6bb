use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use episodes::{CREATED_BY, Pending, WriteError};
use events::PROFILE_POINTS;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RowAccessor;
use parquet::schema::parser::parse_message_type;

use crate::{Envelope, Section};

/// `attack_profiles_v1.parquet`, 80 rows a profile.
const SCHEMA: &str = "message schema {
    required binary name (STRING);
    required binary channel (STRING);
    required binary phase (STRING);
    required int32 idx;
    required double median;
    required double p25;
    required double p75;
    required int64 episodes;
}";

/// A table of profiles that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// It is no such table.
    #[error("{}: {what}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what was expected.
        what: String,
    },
}

/// Writes a table, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write_table(path: &Path, envelopes: &[Envelope]) -> Result<(), TableError> {
    let bytes = encode(envelopes)
        .map_err(|error| TableError::Read { path: path.to_owned(), what: error.to_string() })?;
    let mut pending = Pending::new(path)?;
    let written = pending.write_all(&bytes);
    written.map_err(|error| TableError::Read { path: path.to_owned(), what: error.to_string() })?;
    Ok(Pending::keep_all([pending])?)
}

fn encode(envelopes: &[Envelope]) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by(CREATED_BY.to_owned())
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let phases: Vec<&str> = Section::ALL
        .into_iter()
        .flat_map(|section| std::iter::repeat_n(section.name(), section.budget()))
        .collect();
    let text = |of: &dyn Fn(&Envelope, usize) -> String| {
        let rows =
            envelopes.iter().flat_map(|envelope| (0..PROFILE_POINTS).map(move |point| of(envelope, point)));
        rows.map(|text| text.into_bytes().into()).collect::<Vec<parquet::data_type::ByteArray>>()
    };
    for column in [
        text(&|of, _| of.name.clone()),
        text(&|of, _| of.channel.clone()),
        text(&|_, point| phases[point].to_owned()),
    ] {
        if let Some(mut writer) = group.next_column()? {
            writer.typed::<ByteArrayType>().write_batch(&column, None, None)?;
            writer.close()?;
        }
    }
    if let Some(mut writer) = group.next_column()? {
        let idx: Vec<i32> = envelopes.iter().flat_map(|_| 0..PROFILE_POINTS as i32).collect();
        writer.typed::<Int32Type>().write_batch(&idx, None, None)?;
        writer.close()?;
    }
    for quartile in [1, 0, 2] {
        if let Some(mut writer) = group.next_column()? {
            let values: Vec<f64> = envelopes
                .iter()
                .flat_map(|envelope| envelope.points.iter().map(|point| point[quartile]))
                .collect();
            writer.typed::<DoubleType>().write_batch(&values, None, None)?;
            writer.close()?;
        }
    }
    if let Some(mut writer) = group.next_column()? {
        let episodes: Vec<i64> = envelopes
            .iter()
            .flat_map(|envelope| std::iter::repeat_n(envelope.episodes as i64, PROFILE_POINTS))
            .collect();
        writer.typed::<Int64Type>().write_batch(&episodes, None, None)?;
        writer.close()?;
    }
    group.close()?;
    writer.into_inner()
}

/// Reads a table.
///
/// # Errors
/// The file, the row and the column, and what was expected there.
pub fn read_table(path: &Path) -> Result<Vec<Envelope>, TableError> {
    let failed = |what: String| TableError::Read { path: path.to_owned(), what };
    let opened = File::open(path).map_err(|error: io::Error| failed(error.to_string()))?;
    let reader = SerializedFileReader::new(opened).map_err(|error| failed(error.to_string()))?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let place = |name: &str| {
        let place = schema.columns().iter().position(|column| column.name() == name);
        place.ok_or_else(|| failed(format!("there is no column {name}")))
    };
    let [name, channel, phase, idx] = ["name", "channel", "phase", "idx"].map(place);
    let [median, p25, p75, episodes] = ["median", "p25", "p75", "episodes"].map(place);
    let (name, channel, phase, idx) = (name?, channel?, phase?, idx?);
    let (median, p25, p75, episodes) = (median?, p25?, p75?, episodes?);
    let phases =
        Section::ALL.into_iter().flat_map(|section| std::iter::repeat_n(section.name(), section.budget()));
    let phases: Vec<&str> = phases.collect();
    let mut envelopes: Vec<Envelope> = Vec::new();
    for (number, row) in reader.get_row_iter(None).map_err(|error| failed(error.to_string()))?.enumerate() {
        let row = row.map_err(|error| failed(error.to_string()))?;
        let wrong = |column: &str, expected: &str| {
            failed(format!("row {number}, column {column}: expected {expected}"))
        };
        let text =
            |place, column: &str| row.get_string(place).cloned().map_err(|_| wrong(column, "a string"));
        let number = |place, column: &str| {
            let number = row.get_double(place).ok().filter(|number| number.is_finite());
            number.ok_or_else(|| wrong(column, "a finite number"))
        };
        let (name, point) =
            (text(name, "name")?, envelopes.last().map_or(PROFILE_POINTS, |of| of.points.len()));
        if point == PROFILE_POINTS {
            envelopes.push(Envelope {
                name,
                channel: text(channel, "channel")?,
                points: Vec::with_capacity(PROFILE_POINTS),
                episodes: row
                    .get_long(episodes)
                    .ok()
                    .and_then(|count| count.try_into().ok())
                    .ok_or_else(|| wrong("episodes", "a count"))?,
            });
        } else if envelopes.last().is_some_and(|envelope| envelope.name != name) {
            return Err(wrong("name", "80 rows a profile, one after the other"));
        }
        let Some(envelope) = envelopes.last_mut() else { continue };
        let point = envelope.points.len();
        if row.get_int(idx).ok() != Some(point as i32) {
            return Err(wrong("idx", &point.to_string()));
        }
        if text(phase, "phase")? != phases[point] {
            return Err(wrong("phase", phases[point]));
        }
        envelope.points.push([number(p25, "p25")?, number(median, "median")?, number(p75, "p75")?]);
    }
    if envelopes.last().is_some_and(|envelope| envelope.points.len() < PROFILE_POINTS) {
        return Err(failed("the last profile has fewer than 80 rows".to_owned()));
    }
    Ok(envelopes)
}
