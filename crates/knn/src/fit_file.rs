//! A [`Fit`] as one Arrow IPC file: a table of one row, every part a list.
//!
//! Any Arrow reader opens it. The schema's metadata holds the format, its version and the scalars.

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, LargeListArray, RecordBatch,
    builder::{LargeListBuilder, PrimitiveBuilder, StringBuilder},
    cast::AsArray,
    types::{Float32Type, Float64Type, UInt8Type, UInt32Type},
};
use arrow_ipc::{reader::FileReader, writer::FileWriter};
use arrow_schema::{ArrowError, Field, Schema};

use episodes::Phase;

use crate::{
    axes::Axes,
    fit::Fit,
    kmeans::Clusters,
    matrix::Matrix,
    projection::{AXES, Map, Projection},
    projector::Projector,
    seal,
    standardize::Standardizer,
    umap::Umap,
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
    /// It is not an Arrow IPC file, or not a whole one.
    #[error("{}: not a whole fit file (Arrow IPC): {cause}", path.display())]
    NotArrow {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        cause: ArrowError,
    },
    /// Its bytes are not those that were written.
    #[error("{}: damaged: its bytes do not have the SHA-256 that stands in it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It is an Arrow file of something else.
    #[error("{}: not a fit: expected metadata `format` = `{FORMAT}`, found {found}", path.display())]
    NotAFit {
        /// The file.
        path: PathBuf,
        /// What it says it is.
        found: String,
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
            ("sha256", seal::BLANK.to_owned()),
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
        let not_arrow = |cause| FitFileError::NotArrow { path: path.to_owned(), cause };
        let bytes = fs::read(path).map_err(|cause| FitFileError::Open { path: path.to_owned(), cause })?;
        let mut reader = FileReader::try_new(Cursor::new(&bytes), None).map_err(not_arrow)?;
        let schema = reader.schema();
        let note = |key: &str| schema.metadata().get(key).map(String::as_str);
        if note("format") != Some(FORMAT) {
            let found = note("format").map_or_else(|| "none".to_owned(), |found| format!("`{found}`"));
            return Err(FitFileError::NotAFit { path: path.to_owned(), found });
        }
        if note("version") != Some(VERSION) {
            let found = note("version").unwrap_or("none").to_owned();
            return Err(FitFileError::UnknownVersion { path: path.to_owned(), found });
        }
        // Beyond its schema, nothing of a damaged file is looked at.
        if !seal::is_whole(&bytes, note("sha256").unwrap_or_default()) {
            return Err(FitFileError::Damaged { path: path.to_owned() });
        }
        let part = |part, expected| FitFileError::Part { path: path.to_owned(), part, expected };
        let row = reader.next().ok_or_else(|| part("training", "one row"))?.map_err(not_arrow)?;
        let parts = Parts { path, row };
        let feature_names = parts.texts("feature_names")?;
        let columns = feature_names.len();
        let standardizer = Standardizer {
            medians: parts.numbers::<Float64Type>("medians", Some(columns))?,
            means: parts.numbers::<Float64Type>("means", Some(columns))?,
            deviations: parts.numbers::<Float64Type>("deviations", Some(columns))?,
            kept: parts.numbers::<UInt32Type>("kept", None)?,
        };
        let kept = standardizer.kept.len();
        let rising = standardizer.kept.is_sorted_by(|a, b| a < b);
        if kept == 0 || !rising || standardizer.kept.iter().any(|&column| column as usize >= columns) {
            return Err(part("kept", "rising numbers of feature columns"));
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
        let lows = parts.numbers::<Float64Type>("lows", None)?;
        let highs = parts.numbers::<Float64Type>("highs", Some(lows.len()))?;
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
        let whole = "a whole number";
        Ok(Self {
            feature_names,
            standardizer,
            projection,
            clusters,
            training,
            phases: phases.collect::<Option<_>>().ok_or_else(|| part("phases", "phase codes from 0 to 5"))?,
            neighbours: read("neighbours", whole)?.parse().map_err(|_| part("neighbours", whole))?,
            seed: read("seed", whole)?.parse().map_err(|_| part("seed", whole))?,
            recipe: read("recipe", "a split recipe")?
                .parse()
                .map_err(|_| part("recipe", "a split recipe"))?,
            train_hosts: parts.texts("train_hosts")?,
        })
    }
}

/// The one row of a fit file.
struct Parts<'a> {
    path: &'a Path,
    row: RecordBatch,
}

impl Parts<'_> {
    fn wrong(&self, part: &'static str, expected: &'static str) -> FitFileError {
        FitFileError::Part { path: self.path.to_owned(), part, expected }
    }

    fn list(&self, part: &'static str) -> Result<ArrayRef, FitFileError> {
        let lists = self.row.column_by_name(part).and_then(|column| column.as_list_opt::<i64>());
        let one = lists.filter(|lists: &&LargeListArray| lists.len() == 1 && lists.is_valid(0));
        let list = one.map(|lists| lists.value(0)).filter(|list| list.null_count() == 0);
        list.ok_or_else(|| self.wrong(part, "one row with a list without nulls"))
    }

    fn numbers<T: ArrowPrimitiveType>(
        &self,
        part: &'static str,
        len: Option<usize>,
    ) -> Result<Vec<T::Native>, FitFileError> {
        let list = self.list(part)?;
        let numbers = list.as_primitive_opt::<T>().ok_or_else(|| self.wrong(part, "numbers of its type"))?;
        if len.is_some_and(|len| len != numbers.len()) {
            return Err(self.wrong(part, "as many numbers as the other parts need"));
        }
        Ok(numbers.values().to_vec())
    }

    fn texts(&self, part: &'static str) -> Result<Vec<String>, FitFileError> {
        let list = self.list(part)?;
        let texts = list.as_string_opt::<i32>().ok_or_else(|| self.wrong(part, "texts"))?;
        Ok(texts.iter().flatten().map(str::to_owned).collect())
    }

    fn axes(&self, columns: usize) -> Result<Axes, FitFileError> {
        let axes = self.numbers::<Float64Type>("axes", None)?;
        if axes.len() > AXES * columns || !axes.len().is_multiple_of(columns) {
            return Err(self.wrong("axes", "at most three axes of one number a kept column"));
        }
        Ok(Axes {
            center: self.numbers::<Float64Type>("center", Some(columns))?,
            axes: axes.chunks_exact(columns).map(<[f64]>::to_vec).collect(),
            captured: self.numbers::<Float64Type>("captured", Some(axes.len() / columns))?,
        })
    }

    fn umap(&self, columns: usize) -> Result<Umap, FitFileError> {
        let windows = self.matrix("umap_windows", columns)?;
        let layout = self.matrix("umap_layout", AXES)?;
        if layout.rows() != windows.rows() {
            return Err(self.wrong("umap_layout", "as many places as there are `umap_windows`"));
        }
        Ok(Umap { windows, layout: layout.values().as_chunks().0.to_vec() })
    }

    /// At least one row, every value finite.
    fn matrix(&self, part: &'static str, columns: usize) -> Result<Matrix, FitFileError> {
        let values = self.numbers::<Float32Type>(part, None)?;
        let finite = !values.is_empty() && values.iter().all(|value| value.is_finite());
        let matrix = Matrix::new(values, columns).ok().filter(|_| finite);
        matrix.ok_or_else(|| self.wrong(part, "whole rows of finite numbers, one a kept column"))
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
