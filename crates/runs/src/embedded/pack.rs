use pco::ChunkConfig;
use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress};

use crate::{POINTS_PER_BUCKET, Point, Pyramid};

/// Bytes of a pack that is full.
const PACK: usize = 256 << 10;
/// Buckets of a summary. Blocks with not many more points than these draw have none.
const SUMMARY: usize = 32;

/// Compressed columns of many blocks. Series of a run are mostly measured at the same steps and times: such columns are there
/// once.
#[derive(Debug, Default)]
pub(super) struct Pack {
    bytes: Vec<u8>,
    axes: Vec<Axis>,
}

#[derive(Debug)]
struct Axis {
    steps: Vec<u64>,
    times: Vec<i64>,
    place: [Column; 2],
}

/// Where a column lies in its pack: offset and length in bytes.
pub(super) type Column = (u32, u32);

/// Where points lie in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) steps: Column,
    pub(super) times: Column,
    pub(super) values: Column,
}

/// A column that does not say what it should.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ColumnError(String);

impl Pack {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= PACK
    }

    /// Adds sorted points.
    pub(super) fn add(&mut self, points: &[Point]) -> Result<Columns, ColumnError> {
        let steps: Vec<u64> = points.iter().map(|point| point.step).collect();
        let times: Vec<i64> = points.iter().map(|point| point.time_ms).collect();
        let values: Vec<f64> = points.iter().map(|point| point.value).collect();
        let known = self.axes.iter().find(|axis| axis.steps == steps && axis.times == times);
        let [steps, times] = match known.map(|axis| axis.place) {
            Some(place) => place,
            None => {
                let place = [self.column(&steps)?, self.column(&times)?];
                self.axes.push(Axis { steps, times, place });
                place
            }
        };
        Ok(Columns { steps, times, values: self.column(&values)? })
    }

    fn column<T: Number>(&mut self, numbers: &[T]) -> Result<Column, ColumnError> {
        let config = ChunkConfig::default().with_compression_level(4);
        let compressed = simple_compress(numbers, &config).map_err(|error| ColumnError(error.to_string()))?;
        let column = (self.bytes.len() as u32, compressed.len() as u32);
        self.bytes.extend(compressed);
        Ok(column)
    }
}

/// Reads points back from what lies where steps, times and values do.
pub(super) fn points([steps, times, values]: [&[u8]; 3]) -> Result<Vec<Point>, ColumnError> {
    let (steps, times, values) = (numbers::<u64>(steps)?, numbers::<i64>(times)?, numbers::<f64>(values)?);
    if steps.len() != times.len() || steps.len() != values.len() {
        return Err(ColumnError("columns of unequal length".to_owned()));
    }
    let rows = steps.into_iter().zip(times).zip(values);
    Ok(rows.map(|((step, time_ms), value)| Point { step, value, time_ms }).collect())
}

/// What is drawn of the points of a block, if they are many.
pub(super) fn summary(points: &[Point]) -> Option<Vec<Point>> {
    (points.len() > 2 * SUMMARY * POINTS_PER_BUCKET)
        .then(|| pyramid(points.iter().copied()).points().collect())
}

/// The pyramid that a summary was drawn of, or is.
pub(super) fn pyramid(points: impl IntoIterator<Item = Point>) -> Pyramid {
    let mut pyramid = Pyramid::new(SUMMARY);
    pyramid.extend(points);
    pyramid
}

fn numbers<T: Number>(column: &[u8]) -> Result<Vec<T>, ColumnError> {
    simple_decompress(column).map_err(|error| ColumnError(error.to_string()))
}
