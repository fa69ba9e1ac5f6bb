//! A [`Fit`] as one Arrow IPC file: a table of one row, every part a list.
//!
//! Any Arrow reader opens it. The schema's metadata holds the format, its version and the scalars.

mod parts;

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, RecordBatch,
    builder::{LargeListBuilder, PrimitiveBuilder, StringBuilder},
    types::{Float32Type, Float64Type, UInt8Type, UInt32Type},
};
use arrow_ipc::{reader::FileReader, writer::FileWriter};
use arrow_schema::{ArrowError, Field, Schema};

use episodes::Phase;

use self::parts::Parts;
use crate::{
    fit::Fit,
    kmeans::Clusters,
    params::MOST_NEIGHBOURS,
    projection::{AXES, Map, Projection},
    projector::Projector,
    seal::{self, Seal},
    standardize::Standardizer,
};

const FORMAT: &str = "vitrine.knn.fit";
/// Counts up whenever a reader of the version before would misread the file.
const VERSION: &str = "1";

/// Why a fit file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FitFileError {
    /// It could not be opened.
    #[error("{}: {cause}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// There is no seal in it.
    #[error(
        "{}: not a fit file: expected what `knn produce --model-out` writes, sealed with its SHA-256",
        path.display()
    )]
    NotAFit {
        /// The file.
        path: PathBuf,
    },
    /// Its bytes are not those that were sealed.
    #[error("{}: damaged: its bytes do not have the SHA-256 that stands in it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It was sealed, but is no Arrow IPC file.
    #[error("{}: not an Arrow IPC file: {cause}", path.display())]
    NotArrow {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        cause: ArrowError,
    },
    /// It was written by another version.
    #[error(
        "{}: fit format version {found} is unknown here; this build reads version {VERSION}: \
         make the fit anew with `knn produce --model-out`",
        path.display()
    )]
    UnknownVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: String,
    },
    /// A part of it is missing or does not fit the others.
    #[error("{}: `{part}`: expected {expected}", path.display())]
    Part {
        /// The file.
        path: PathBuf,
        /// The column or metadata key.
        part: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

impl Fit {
    /// The bytes of the fit file. Equal fits give equal bytes.
    pub fn encode(&self) -> Result<Vec<u8>, ArrowError> {
        let phases: Vec<u8> = self.phases.iter().map(|phase| phase.code()).collect();
        let (lows, highs): (Vec<f64>, Vec<f64>) = self.projection.ranges.iter().copied().unzip();
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("feature_names", texts(&self.feature_names)),
            ("medians", list::<Float64Type>(&self.standardizer.medians)),
            ("means", list::<Float64Type>(&self.standardizer.means)),
            ("deviations", list::<Float64Type>(&self.standardizer.deviations)),
            ("kept", list::<UInt32Type>(&self.standardizer.kept)),
            ("lows", list::<Float64Type>(&lows)),
            ("highs", list::<Float64Type>(&highs)),
            ("centroids", list::<Float32Type>(self.clusters.centroids.values())),
            ("training", list::<Float32Type>(self.training.values())),
            ("phases", list::<UInt8Type>(&phases)),
            ("train_hosts", texts(&self.train_hosts)),
        ];
        match &self.projection.map {
            Map::Pca(axes) | Map::Lda(axes) => columns.extend([
                ("center", list::<Float64Type>(&axes.center)),
                ("axes", list::<Float64Type>(&axes.axes.concat())),
                ("captured", list::<Float64Type>(&axes.captured)),
            ]),
            Map::Umap(umap) => columns.extend([
                ("umap_windows", list::<Float32Type>(umap.windows.values())),
                ("umap_layout", list::<Float32Type>(umap.layout.as_flattened())),
            ]),
        }
        let metadata = [
            ("format", FORMAT.to_owned()),
            ("version", VERSION.to_owned()),
            ("seal", seal::BLANK.to_owned()),
            ("projector", self.projection.projector().to_string()),
            ("recipe", self.recipe.to_string()),
            ("neighbours", self.neighbours.to_string()),
            ("seed", self.seed.to_string()),
            // The shortest text that reads back as the same number.
            ("inertia", self.clusters.inertia.to_string()),
        ];
        let fields: Vec<Field> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), false)).collect();
        let metadata: std::collections::HashMap<String, String> =
            metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let schema = Arc::new(Schema::new(fields).with_metadata(metadata));
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let row = RecordBatch::try_new(schema.clone(), arrays)?;
        let mut writer = FileWriter::try_new(Vec::new(), &schema)?;
        writer.write(&row)?;
        Ok(seal::seal(writer.into_inner()?))
    }

    /// Reads a fit file and checks that its parts fit together.
    pub fn read(path: &Path) -> Result<Self, FitFileError> {
        let bytes = fs::read(path).map_err(|cause| FitFileError::Open { path: path.to_owned(), cause })?;
        Self::decode(path, &bytes)
    }

    /// The same of bytes that are at hand. Errors name `path`.
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Self, FitFileError> {
        // Nothing of a file that is not whole is read: the reader of Arrow IPC trusts what it finds.
        match seal::look(bytes) {
            Seal::Whole => {}
            Seal::Broken => return Err(FitFileError::Damaged { path: path.to_owned() }),
            Seal::None => return Err(FitFileError::NotAFit { path: path.to_owned() }),
        }
        let not_arrow = |cause| FitFileError::NotArrow { path: path.to_owned(), cause };
        let mut reader = FileReader::try_new(Cursor::new(bytes), None).map_err(not_arrow)?;
        let schema = reader.schema();
        let note = |key: &str| schema.metadata().get(key).map(String::as_str);
        if note("format") != Some(FORMAT) {
            return Err(FitFileError::NotAFit { path: path.to_owned() });
        }
        if note("version") != Some(VERSION) {
            let found = note("version").unwrap_or("none").to_owned();
            return Err(FitFileError::UnknownVersion { path: path.to_owned(), found });
        }
        let part = |part, expected| FitFileError::Part { path: path.to_owned(), part, expected };
        let row = reader.next().ok_or_else(|| part("training", "one row"))?.map_err(not_arrow)?;
        let parts = Parts { path, row };
        let feature_names = parts.texts("feature_names")?;
        let columns = feature_names.len();
        let standardizer = Standardizer {
            medians: parts.finite("medians", Some(columns))?,
            means: parts.finite("means", Some(columns))?,
            deviations: parts.finite("deviations", Some(columns))?,
            kept: parts.numbers::<UInt32Type>("kept", None)?,
        };
        let kept = standardizer.kept.len();
        let rising = standardizer.kept.is_sorted_by(|a, b| a < b);
        if kept == 0 || !rising || standardizer.kept.iter().any(|&column| column as usize >= columns) {
            return Err(part("kept", "rising numbers of feature columns"));
        }
        if standardizer.kept.iter().any(|&column| standardizer.deviations[column as usize] <= 0.0) {
            return Err(part("deviations", "numbers above 0 for the kept columns"));
        }
        let read = |key: &'static str, expected| {
            let value: &str = schema.metadata().get(key).ok_or_else(|| part(key, expected))?;
            Ok::<&str, FitFileError>(value)
        };
        let projector = "pca, lda or umap";
        let map = match read("projector", projector)?.parse().map_err(|_| part("projector", projector))? {
            Projector::Pca => Map::Pca(parts.axes(kept)?),
            Projector::Lda => Map::Lda(parts.axes(kept)?),
            Projector::Umap => Map::Umap(parts.umap(kept)?),
        };
        let lows = parts.finite("lows", Some(AXES))?;
        let highs = parts.finite("highs", Some(AXES))?;
        let mut ranges = [(0.0, 0.0); AXES];
        ranges.iter_mut().zip(lows.into_iter().zip(highs)).for_each(|(range, read)| *range = read);
        let projection = Projection { map, ranges };
        let inertia = "the inertia of the clusters";
        let clusters = Clusters {
            centroids: parts.matrix("centroids", kept)?,
            inertia: read("inertia", inertia)?.parse().map_err(|_| part("inertia", inertia))?,
        };
        let training = parts.matrix("training", kept)?;
        let codes = parts.numbers::<UInt8Type>("phases", Some(training.rows()))?;
        let phases = codes.into_iter().map(|code| Phase::from_code(code.into()));
        let (whole, voting) = ("a whole number", "a whole number from 1 to 1,000");
        let neighbours = read("neighbours", voting)?.parse().ok();
        let neighbours = neighbours.filter(|neighbours| (1..=MOST_NEIGHBOURS).contains(neighbours));
        Ok(Self {
            feature_names,
            standardizer,
            projection,
            clusters,
            training,
            phases: phases.collect::<Option<_>>().ok_or_else(|| part("phases", "phase codes from 0 to 5"))?,
            neighbours: neighbours.ok_or_else(|| part("neighbours", voting))?,
            seed: read("seed", whole)?.parse().map_err(|_| part("seed", whole))?,
            recipe: read("recipe", "a split recipe")?
                .parse()
                .map_err(|_| part("recipe", "a split recipe"))?,
            train_hosts: parts.texts("train_hosts")?,
        })
    }
}

fn list<T: ArrowPrimitiveType>(values: &[T::Native]) -> ArrayRef {
    let mut lists = LargeListBuilder::new(PrimitiveBuilder::<T>::with_capacity(values.len()));
    lists.values().append_slice(values);
    lists.append(true);
    Arc::new(lists.finish())
}

fn texts(values: &[String]) -> ArrayRef {
    let mut lists = LargeListBuilder::new(StringBuilder::new());
    for value in values {
        lists.values().append_value(value);
    }
    lists.append(true);
    Arc::new(lists.finish())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{axes::Axes, matrix::Matrix, split::Recipe};

    fn fit() -> Fit {
        Fit {
            feature_names: vec!["a".to_owned(), "b".to_owned()],
            standardizer: Standardizer {
                medians: vec![0.0; 2],
                means: vec![0.0; 2],
                deviations: vec![1.0, 0.0],
                kept: vec![0],
            },
            projection: Projection {
                map: Map::Pca(Axes { center: vec![0.0], axes: vec![vec![1.0]], captured: vec![1.0] }),
                ranges: [(0.0, 1.0); AXES],
            },
            clusters: Clusters { centroids: Matrix::zeros(1, 1), inertia: 0.0 },
            training: Matrix::zeros(2, 1),
            phases: vec![Phase::Clean, Phase::Armed],
            neighbours: 1,
            seed: 7,
            recipe: Recipe::Random,
            train_hosts: vec![],
        }
    }

    /// A whole file with other notes, and other parts.
    fn forged(notes: &[(&str, &str)], parts: &[(&str, ArrayRef)]) -> Vec<u8> {
        let bytes = fit().encode().unwrap();
        let row = FileReader::try_new(Cursor::new(bytes), None).unwrap().next().unwrap().unwrap();
        let mut metadata: HashMap<String, String> = row.schema().metadata().clone().into();
        metadata.insert("seal".to_owned(), seal::BLANK.to_owned());
        metadata.extend(notes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let schema = row.schema();
        let columns = schema.fields().iter().zip(row.columns()).map(|(field, column)| {
            let other = parts.iter().find(|(name, _)| *name == field.name()).map(|(_, other)| other);
            (field.name().clone(), other.unwrap_or(column).clone())
        });
        let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns
            .map(|(name, column)| (Field::new(name, column.data_type().clone(), true), column))
            .unzip();
        let schema = Arc::new(Schema::new(fields).with_metadata(metadata));
        let row = RecordBatch::try_new(schema.clone(), columns).unwrap();
        let mut writer = FileWriter::try_new(Vec::new(), &schema).unwrap();
        writer.write(&row).unwrap();
        seal::seal(writer.into_inner().unwrap())
    }

    fn refusal(bytes: &[u8]) -> String {
        Fit::decode(Path::new("a.fit"), bytes).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_version_is_refused_with_what_to_do() {
        assert_eq!(
            refusal(&forged(&[("version", "2")], &[])),
            "a.fit: fit format version 2 is unknown here; this build reads version 1: \
             make the fit anew with `knn produce --model-out`"
        );
    }

    #[test]
    fn parts_that_do_not_fit_are_refused_by_name() {
        let floats = |values: &[f64]| list::<Float64Type>(values);
        for (part, array, expected) in [
            ("medians", floats(&[1.0]), "as many numbers as the other parts need"),
            ("means", floats(&[1.0, f64::NAN]), "finite numbers"),
            ("deviations", floats(&[0.0, 1.0]), "numbers above 0 for the kept columns"),
            ("kept", list::<UInt32Type>(&[2]), "rising numbers of feature columns"),
            ("kept", list::<UInt32Type>(&[]), "rising numbers of feature columns"),
            ("axes", floats(&[1.0; 4]), "at most three axes of one number a kept column"),
            ("lows", floats(&[0.0; 2]), "as many numbers as the other parts need"),
            ("highs", floats(&[0.0, 0.0, f64::INFINITY]), "finite numbers"),
            ("centroids", list::<Float32Type>(&[]), "whole rows of finite numbers, one a kept column"),
            ("phases", list::<UInt8Type>(&[0]), "as many numbers as the other parts need"),
            ("phases", list::<UInt8Type>(&[0, 6]), "phase codes from 0 to 5"),
            ("training", floats(&[0.0]), "numbers of its type"),
        ] {
            assert_eq!(
                refusal(&forged(&[], &[(part, array)])),
                format!("a.fit: `{part}`: expected {expected}")
            );
        }
        for (note, value, expected) in [
            ("neighbours", "0", "a whole number from 1 to 1,000"),
            ("neighbours", "1001", "a whole number from 1 to 1,000"),
            ("projector", "tsne", "pca, lda or umap"),
            ("seed", "-1", "a whole number"),
            ("recipe", "all", "a split recipe"),
        ] {
            assert_eq!(
                refusal(&forged(&[(note, value)], &[])),
                format!("a.fit: `{note}`: expected {expected}")
            );
        }
        assert!(refusal(&forged(&[("format", "another")], &[])).starts_with("a.fit: not a fit file"));
        assert!(refusal(&seal::seal(seal::BLANK.into())).starts_with("a.fit: not an Arrow IPC file"));
        assert_eq!(Fit::decode(Path::new("a.fit"), &forged(&[], &[])).unwrap(), fit());
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Fit::decode(Path::new("a.fit"), &bytes).is_err());
        }
    }
}
