use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use crate::produce::ProduceError;

/// An episode that a check of the recordings accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) host: String,
    pub(crate) episode: String,
    pub(crate) profile: String,
}

const COLUMNS: [&str; 4] = ["host_id", "episode_id", "profile", "status"];

/// The episodes of `validation_v1.parquet` whose status is `accepted`.
pub(crate) fn accepted(path: &Path) -> Result<Vec<Accepted>, ProduceError> {
    let failed = |what: String| ProduceError::Validation { path: path.to_owned(), what };
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let reader = SerializedFileReader::new(file).map_err(|error| failed(error.to_string()))?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
    let places = COLUMNS.map(|name| names.iter().position(|other| *other == name).ok_or(name));
    let mut accepted = Vec::new();
    for (number, row) in reader.get_row_iter(None).map_err(|error| failed(error.to_string()))?.enumerate() {
        let row = row.map_err(|error| failed(error.to_string()))?;
        let text = |place: Result<usize, &str>| {
            let place = place.map_err(|name| failed(format!("there is no column {name}")))?;
            let wrong = |_| failed(format!("row {number}, column {}: expected a string", names[place]));
            row.get_string(place).cloned().map_err(wrong)
        };
        let [host, episode, profile, status] = places;
        if text(status)? == "accepted" {
            accepted.push(Accepted { host: text(host)?, episode: text(episode)?, profile: text(profile)? });
        }
    }
    Ok(accepted)
}
