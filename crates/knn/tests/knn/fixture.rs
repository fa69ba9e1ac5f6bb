//! Tables to try things on.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use episodes::Phase;
use knn::{Dictionary, Matrix, Origin, Source, TableError, Unwatched, Validation, WindowTable};
use parquet::{
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Seeded windows: `episodes` of 16 windows over two hosts and three profiles, in five phases that
/// overlap; counts, heavy tails, missing values, a constant and an all-missing column.
pub(crate) fn windows(episodes: usize, columns: usize, seed: u64) -> WindowTable {
    let mut numbers = Xoshiro256PlusPlus::seed_from_u64(seed);
    let centers: Vec<f32> = (0..5 * columns).map(|_| numbers.gen_range(-2.0..2.0)).collect();
    let rows = episodes * 16;
    let phases: Vec<Phase> = (0..rows).map(|row| Phase::ALL[row % 16 / 3 % 5]).collect();
    let mut features = Matrix::zeros(rows, columns);
    for row in 0..rows {
        let center = &centers[usize::from(phases[row].code()) * columns..][..columns];
        for (column, value) in features.row_mut(row).iter_mut().enumerate() {
            let drawn = center[column] + numbers.gen_range(-2.0..2.0) + numbers.gen_range(-2.0..2.0);
            *value = match column % 4 {
                _ if column == 1 => 7.25,
                _ if column == 3 || numbers.gen_bool(0.01) => f32::NAN,
                0 => drawn,
                1 => drawn.exp(),
                2 => (drawn * 3.0).round(),
                _ => drawn * 1e-3,
            };
        }
    }
    let names =
        |name: &dyn Fn(usize) -> String| -> Dictionary { (0..rows).map(|row| name(row / 16)).collect() };
    let origin = Origin {
        episodes: names(&|episode| format!("episode-{episode:03}")),
        hosts: names(&|episode| format!("host-{}", episode % 2)),
        profiles: names(&|episode| format!("profile-{}", episode % 3)),
        window_idx: Some((0..rows as u32).map(|row| row % 16).collect()),
    };
    WindowTable {
        feature_names: (0..columns).map(|column| format!("feature.{column}")).collect(),
        features,
        phases,
        busiest_host: origin.busiest_host(None),
        // Once on every host.
        samples: Some(names(&|episode| format!("sample-{}", episode / 2))),
        origin,
    }
}

/// A column of a parquet file.
pub(crate) enum Values {
    Float(Vec<f32>),
    Double(Vec<f64>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Text(Vec<&'static str>),
    /// Optional float32: `None` is null.
    Nullable(Vec<Option<f32>>),
    /// Optional int32, one null.
    NullInt(usize),
}

/// The bytes of a parquet file of these columns.
pub(crate) fn parquet(columns: &[(&str, Values)]) -> Vec<u8> {
    let fields: String = columns
        .iter()
        .map(|(name, values)| match values {
            Values::Float(_) => format!("required float {name};"),
            Values::Double(_) => format!("required double {name};"),
            Values::Int(_) => format!("required int32 {name};"),
            Values::Long(_) => format!("required int64 {name};"),
            Values::Text(_) => format!("required binary {name} (STRING);"),
            Values::Nullable(_) => format!("optional float {name};"),
            Values::NullInt(_) => format!("optional int32 {name};"),
        })
        .collect();
    let schema = Arc::new(parse_message_type(&format!("message table {{ {fields} }}")).unwrap());
    let mut writer =
        SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, values) in columns {
        let mut column = group.next_column().unwrap().unwrap();
        fn write<T: DataType>(
            column: &mut parquet::file::writer::SerializedColumnWriter<'_>,
            values: &[T::T],
            levels: Option<&[i16]>,
        ) {
            column.typed::<T>().write_batch(values, levels, None).unwrap();
        }
        match values {
            Values::Float(values) => write::<FloatType>(&mut column, values, None),
            Values::Double(values) => write::<DoubleType>(&mut column, values, None),
            Values::Int(values) => write::<Int32Type>(&mut column, values, None),
            Values::Long(values) => write::<Int64Type>(&mut column, values, None),
            Values::Text(values) => {
                let values: Vec<ByteArray> = values.iter().map(|&text| text.into()).collect();
                write::<ByteArrayType>(&mut column, &values, None);
            }
            Values::Nullable(values) => {
                let levels: Vec<i16> = values.iter().map(|value| value.is_some().into()).collect();
                let present: Vec<f32> = values.iter().copied().flatten().collect();
                write::<FloatType>(&mut column, &present, Some(&levels));
            }
            Values::NullInt(rows) => {
                let mut levels = vec![1; *rows];
                levels[rows - 1] = 0;
                write::<Int32Type>(&mut column, &vec![0; rows - 1], Some(&levels));
            }
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

/// A window table on disk.
pub(crate) struct Folder {
    pub(crate) dir: tempfile::TempDir,
}

impl Folder {
    /// A good table of four windows and its schema of the features `a` and `b`, with these columns in
    /// place of (or beside) the good ones.
    pub(crate) fn with(mut changed: Vec<(&'static str, Values)>) -> Self {
        let mut columns = vec![
            ("a", Values::Float(vec![1.0, 2.0, f32::NAN, 4.0])),
            ("b", Values::Double(vec![0.5, 0.25, 0.125, 0.0])),
            ("phase", Values::Int(vec![0, 1, 4, 5])),
            ("episode_id", Values::Text(vec!["e1", "e1", "e2", "e3"])),
            ("host_id", Values::Text(vec!["h1", "h1", "h2", "h2"])),
            ("profile", Values::Text(vec!["p"; 4])),
        ];
        columns.retain(|(name, _)| changed.iter().all(|(changed, _)| changed != name));
        columns.append(&mut changed);
        let folder = Self { dir: tempfile::tempdir().unwrap() };
        fs::write(folder.window(), parquet(&columns)).unwrap();
        fs::write(folder.schema(), br#"{"feature_names": ["a", "b"]}"#).unwrap();
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn window(&self) -> PathBuf {
        self.path("windows.parquet")
    }

    pub(crate) fn schema(&self) -> PathBuf {
        self.path("schema.json")
    }

    pub(crate) fn read(&self) -> Result<WindowTable, TableError> {
        self.read_some(None, None)
    }

    pub(crate) fn read_some(
        &self,
        validation: Option<&Validation>,
        max_rows: Option<usize>,
    ) -> Result<WindowTable, TableError> {
        let (window, schema) = (self.window(), self.schema());
        WindowTable::read(&Source { window: &window, schema: &schema, validation, max_rows }, &Unwatched)
    }

    /// The message that reading ends with, without the folder's name.
    pub(crate) fn refusal(&self) -> String {
        without(self.read().unwrap_err(), self.dir.path())
    }
}

/// A message without the name of a folder in it.
pub(crate) fn without(error: impl std::fmt::Display, folder: &Path) -> String {
    error.to_string().replace(&format!("{}/", folder.display()), "")
}
