use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Int32Array, RecordBatch, UInt8Array};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use bytes::Bytes;
use events::{EmbeddingSnapshot, Event, MAX_SNAPSHOT_ROWS, Name, Phase, Text};

use crate::PublishError;

/// An embedding snapshot as columns of equal length: at least 1 row, at most
/// [`MAX_SNAPSHOT_ROWS`].
#[derive(Debug, Clone)]
pub struct Columns {
    /// The fit that placed the points.
    pub fit_id: Name<'static>,
    /// What placed them.
    pub projector: Name<'static>,
    /// How many times the producer has gone round.
    pub cycle: Option<u64>,
    /// First axis, in [0, 1].
    pub x: Vec<f32>,
    /// Second axis.
    pub y: Vec<f32>,
    /// Third axis.
    pub z: Vec<f32>,
    /// What was.
    pub phase: Vec<Phase>,
    /// What the fit says.
    pub predicted: Vec<Phase>,
    /// KMeans cluster, 0 to 255.
    pub cluster: Vec<i32>,
}

impl Columns {
    /// Points.
    pub fn rows(&self) -> usize {
        self.x.len()
    }

    /// The event that the broadcaster will make of them, without the address.
    pub(crate) fn event(&self) -> Result<Event<'static>, PublishError> {
        let rows = u32::try_from(self.rows()).ok().filter(|rows| (1..=MAX_SNAPSHOT_ROWS).contains(rows));
        let rows = rows.ok_or_else(|| {
            PublishError::Columns(format!("expected 1 to {MAX_SNAPSHOT_ROWS} rows, got {}", self.rows()))
        })?;
        let url = Text::new("").map_err(|error| PublishError::Columns(error.to_string()))?;
        let (fit_id, projector) = (self.fit_id.clone(), self.projector.clone());
        Ok(EmbeddingSnapshot { fit_id, rows, url, projector, cycle: self.cycle }.into())
    }

    /// The Arrow IPC stream of the wire contract.
    pub fn encode(&self) -> Result<Bytes, PublishError> {
        self.stream().map(Bytes::from).map_err(|error| PublishError::Columns(error.to_string()))
    }

    fn stream(&self) -> Result<Vec<u8>, ArrowError> {
        let mut metadata = HashMap::from([
            ("fit_id".to_owned(), self.fit_id.to_string()),
            ("projector".to_owned(), self.projector.to_string()),
        ]);
        metadata.extend(self.cycle.map(|cycle| ("cycle".to_owned(), cycle.to_string())));
        let axis = |name, values: &[f32]| -> (Field, ArrayRef) {
            let values = Float32Array::from(values.to_vec());
            (Field::new(name, DataType::Float32, false), Arc::new(values))
        };
        let phase = |name, values: &[Phase]| -> (Field, ArrayRef) {
            let codes: UInt8Array = values.iter().map(|phase| Some(phase.code())).collect();
            (Field::new(name, DataType::UInt8, false), Arc::new(codes))
        };
        let cluster = Int32Array::from(self.cluster.clone());
        let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = [
            axis("x", &self.x),
            axis("y", &self.y),
            axis("z", &self.z),
            phase("phase", &self.phase),
            phase("predicted", &self.predicted),
            (Field::new("cluster", DataType::Int32, false), Arc::new(cluster)),
        ]
        .into_iter()
        .unzip();
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        let batch = RecordBatch::try_new(schema.clone(), columns)?;
        let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
        writer.write(&batch)?;
        writer.into_inner()
    }
}
