use std::io::{self, Write};

use parquet::{
    data_type::{DoubleType, Int64Type},
    errors::ParquetError,
};
use serde::Serialize;

use crate::{
    classifier::Vote,
    fit::Fit,
    neighbours::{Neighbour, Neighbours},
    origin::Origin,
    row_group,
    unlabelled::Unlabelled,
    watch::{Stage, Stopped, Watch},
};

/// What a fit says of windows: one entry a window, in the order of their table.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Where the windows are from, if their table says it.
    pub origin: Option<Origin>,
    /// The phase of each, and how sure the fit is.
    pub votes: Vec<Vote>,
    /// The training windows that voted, nearest first, if they were asked for: their rows are those of
    /// [`Fit::training`].
    pub neighbours: Option<Neighbours>,
}

impl Fit {
    /// Tells the phase of every window by all training windows; `neighbours`: and which ones voted, 16 bytes each.
    pub fn predict(
        &self,
        windows: Unlabelled,
        neighbours: bool,
        watch: &dyn Watch,
    ) -> Result<Predictions, Stopped> {
        let Unlabelled { features, origin } = windows;
        let z = self.standardizer.transform(features, watch)?;
        watch.begin(Stage::Classify, z.rows() as u64);
        let classifier = self.classifier();
        if !neighbours {
            return Ok(Predictions { origin, votes: classifier.classify(&z, watch)?, neighbours: None });
        }
        let found = classifier.nearest(&z, watch)?;
        Ok(Predictions { origin, votes: classifier.vote(&found), neighbours: Some(found) })
    }
}

/// One line of [`Predictions::lines`].
#[derive(Serialize)]
struct Line<'a> {
    row: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    episode_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_idx: Option<u32>,
    phase: &'static str,
    confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    neighbors: Option<Vec<Near>>,
}

#[derive(Serialize)]
struct Near {
    row: u32,
    distance: f64,
}

impl Predictions {
    /// Number of windows.
    pub fn rows(&self) -> usize {
        self.votes.len()
    }

    /// Writes one JSON object a line.
    pub fn lines(&self, to: &mut impl Write) -> io::Result<()> {
        let origin = self.origin.as_ref();
        let mut found = self.neighbours.as_ref().map(Neighbours::iter);
        let near = |near: &Neighbour| Near { row: near.row, distance: near.squared_distance.sqrt() };
        for (row, vote) in self.votes.iter().enumerate() {
            let found = found.as_mut().and_then(Iterator::next);
            let line = Line {
                row,
                episode_id: origin.map(|origin| origin.episodes.name(row)),
                host_id: origin.map(|origin| origin.hosts.name(row)),
                profile: origin.map(|origin| origin.profiles.name(row)),
                window_idx: origin.and_then(|origin| origin.window_idx.as_ref()).map(|all| all[row]),
                phase: vote.phase.name(),
                confidence: vote.confidence,
                neighbors: found.map(|found| found.iter().map(near).collect()),
            };
            serde_json::to_writer(&mut *to, &line)?;
            to.write_all(b"\n")?;
        }
        Ok(())
    }

    /// The same as a parquet file, zstd, one row group.
    pub fn encode(&self) -> Result<Vec<u8>, ParquetError> {
        let window_idx = self.origin.as_ref().and_then(|origin| origin.window_idx.as_ref());
        let mut schema = "message predictions {\n".to_owned();
        if self.origin.is_some() {
            for name in ["episode_id", "host_id", "profile"] {
                schema += &format!("required binary {name} (STRING);\n");
            }
        }
        if window_idx.is_some() {
            schema += "required int64 window_idx;\n";
        }
        schema += "required binary phase (STRING);\nrequired double confidence;\n";
        if self.neighbours.is_some() {
            for (name, element) in [("neighbor_rows", "int64"), ("neighbor_distances", "double")] {
                schema += &format!(
                    "required group {name} (LIST) {{ repeated group list {{ required {element} element; }} }}\n"
                );
            }
        }
        schema += "}";
        row_group::encode(&schema, None, |group| {
            if let Some(origin) = &self.origin {
                for names in [&origin.episodes, &origin.hosts, &origin.profiles] {
                    group.names(names)?;
                }
            }
            if let Some(window_idx) = window_idx {
                let rows: Vec<i64> = window_idx.iter().copied().map(i64::from).collect();
                group.column::<Int64Type>(&rows)?;
            }
            group.names(&self.votes.iter().map(|vote| vote.phase.name()).collect())?;
            let confidences: Vec<f64> = self.votes.iter().map(|vote| vote.confidence).collect();
            group.column::<DoubleType>(&confidences)?;
            if let Some(neighbours) = &self.neighbours {
                let near = || neighbours.iter().flatten();
                let each = neighbours.iter().next().map_or(1, <[_]>::len);
                let rows: Vec<i64> = near().map(|near| near.row.into()).collect();
                group.lists::<Int64Type>(&rows, each)?;
                let distances: Vec<f64> = near().map(|near| near.squared_distance.sqrt()).collect();
                group.lists::<DoubleType>(&distances, each)?;
            }
            Ok(())
        })
    }
}
