use std::io::Cursor;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type, UInt8Type};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_schema::{DataType, Schema};
use bytes::Bytes;
use events::{MAX_SNAPSHOT_ROWS, Name, Phase};

/// Why embedding columns are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ColumnsError {
    #[error("not an Arrow IPC stream: {0}")]
    Arrow(String),
    #[error("schema metadata `{key}`: expected {expected}, got {got}")]
    Metadata { key: &'static str, expected: &'static str, got: String },
    #[error("column `{name}`: expected {expected}, got {got}")]
    Column { name: String, expected: String, got: String },
    #[error("column `{name}`, row {row}: expected {expected}, got {got}")]
    Value { name: &'static str, row: usize, expected: &'static str, got: String },
    #[error("expected 1 to {MAX_SNAPSHOT_ROWS} rows, got {0}")]
    Rows(usize),
}

/// A checked embedding snapshot, its columns packed: 9 bytes a point, planar, little-endian. All x,
/// all y, all z as u16 (65535 is 1.0), then all phases, all predictions, all clusters as bytes.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) fit_id: Name<'static>,
    pub(crate) projector: Name<'static>,
    pub(crate) cycle: Option<u64>,
    pub(crate) rows: u32,
    pub(crate) packed: Bytes,
}

/// Reads and checks an Arrow IPC stream. Cost: one pass.
pub(crate) fn decode(body: &[u8]) -> Result<Columns, ColumnsError> {
    let arrow = |error: arrow_schema::ArrowError| ColumnsError::Arrow(error.to_string());
    let reader = StreamReader::try_new(Cursor::new(body), None).map_err(arrow)?;
    let schema = reader.schema();
    check(&schema)?;
    let name = |key: &'static str| {
        const EXPECTED: &str = "a name of 1 to 256 bytes";
        let value = schema.metadata().get(key).ok_or_else(|| ColumnsError::Metadata {
            key,
            expected: EXPECTED,
            got: "nothing".to_owned(),
        })?;
        Name::try_from(value.clone()).map_err(|_| ColumnsError::Metadata {
            key,
            expected: EXPECTED,
            got: format!("{} bytes", value.len()),
        })
    };
    let (fit_id, projector) = (name("fit_id")?, name("projector")?);
    let cycle = match schema.metadata().get("cycle") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| ColumnsError::Metadata {
            key: "cycle",
            expected: "a whole number",
            got: format!("{text:?}"),
        })?),
    };

    let mut planes = Planes::default();
    for batch in reader {
        planes.append(&batch.map_err(arrow)?)?;
    }
    let rows = planes.phase.len();
    match u32::try_from(rows) {
        Ok(rows @ 1..=MAX_SNAPSHOT_ROWS) => {
            Ok(Columns { fit_id, projector, cycle, rows, packed: planes.packed().into() })
        }
        _ => Err(ColumnsError::Rows(rows)),
    }
}

/// The columns and nothing else: what is not read need not be decoded.
const COLUMNS: [(&str, DataType); 6] = [
    ("x", DataType::Float32),
    ("y", DataType::Float32),
    ("z", DataType::Float32),
    ("phase", DataType::UInt8),
    ("predicted", DataType::UInt8),
    ("cluster", DataType::Int32),
];

fn check(schema: &Schema) -> Result<(), ColumnsError> {
    for (name, expected) in COLUMNS {
        let got = match schema.field_with_name(name) {
            Ok(field) if *field.data_type() == expected => continue,
            Ok(field) => field.data_type().to_string(),
            Err(_) => "no such column".to_owned(),
        };
        return Err(ColumnsError::Column { name: name.to_owned(), expected: expected.to_string(), got });
    }
    let known = |name: &str| COLUMNS.iter().any(|(column, _)| *column == name);
    match schema.fields().iter().find(|field| !known(field.name())) {
        Some(field) => Err(ColumnsError::Column {
            name: field.name().clone(),
            expected: "only x, y, z, phase, predicted and cluster".to_owned(),
            got: field.data_type().to_string(),
        }),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Planes {
    axes: [Vec<u8>; 3],
    phase: Vec<u8>,
    predicted: Vec<u8>,
    cluster: Vec<u8>,
}

impl Planes {
    fn append(&mut self, batch: &RecordBatch) -> Result<(), ColumnsError> {
        let before = self.phase.len();
        if before + batch.num_rows() > MAX_SNAPSHOT_ROWS as usize {
            return Err(ColumnsError::Rows(before + batch.num_rows()));
        }
        for (name, plane) in ["x", "y", "z"].into_iter().zip(&mut self.axes) {
            let fits = |value: &f32| (0.0..=1.0).contains(value);
            let values = column::<Float32Type>(batch, name, before, "a number from 0 to 1", fits)?;
            // In [0, 65535] after the check.
            let steps = values.iter().map(|value| (value * 65535.0).round() as u16);
            plane.extend(steps.flat_map(u16::to_le_bytes));
        }
        let code = |value: &u8| Phase::from_code(*value).is_some();
        let phase = column::<UInt8Type>(batch, "phase", before, "a phase code from 0 to 4", code)?;
        self.phase.extend_from_slice(phase);
        let predicted = column::<UInt8Type>(batch, "predicted", before, "a phase code from 0 to 4", code)?;
        self.predicted.extend_from_slice(predicted);
        let fits = |value: &i32| (0..=255).contains(value);
        let cluster = column::<Int32Type>(batch, "cluster", before, "a cluster from 0 to 255", fits)?;
        self.cluster.extend(cluster.iter().map(|value| *value as u8)); // in 0..=255 after the check
        Ok(())
    }

    fn packed(self) -> Vec<u8> {
        let [x, y, z] = self.axes;
        [x, y, z, self.phase, self.predicted, self.cluster].concat()
    }
}

/// The values of a column of this type, none missing, all of them fit. `before`: rows of the
/// batches that came first, so that a row is named by its place in the whole stream.
fn column<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &'static str,
    before: usize,
    expected: &'static str,
    fits: impl Fn(&T::Native) -> bool,
) -> Result<&'a [T::Native], ColumnsError> {
    let wrong =
        |got: String| ColumnsError::Column { name: name.to_owned(), expected: T::DATA_TYPE.to_string(), got };
    let any = batch.column_by_name(name).ok_or_else(|| wrong("no such column".to_owned()))?;
    let column: &PrimitiveArray<T> =
        any.as_primitive_opt().ok_or_else(|| wrong(any.data_type().to_string()))?;
    let value = |row: usize, got: String| ColumnsError::Value { name, row: before + row, expected, got };
    if let Some(row) =
        (column.null_count() > 0).then(|| (0..column.len()).find(|row| column.is_null(*row))).flatten()
    {
        return Err(value(row, "nothing".to_owned()));
    }
    match column.values().iter().position(|value| !fits(value)) {
        Some(row) => Err(value(row, format!("{:?}", column.value(row)))),
        None => Ok(column.values()),
    }
}
