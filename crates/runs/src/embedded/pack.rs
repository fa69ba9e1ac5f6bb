use pco::ChunkConfig;
use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress};

use crate::{POINTS_PER_BUCKET, Point, Pyramid};

/// Bytes of a pack, at most: what the database keeps it in is a power of two, less what it needs itself.
const PACK: usize = (128 << 10) - 512;
/// Buckets of a summary. Blocks with fewer points than these draw have none.
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

    /// Adds sorted points, and what is drawn of them if they are many; `None` if they are for another pack, as this one
    /// is full.
    pub(super) fn add(
        &mut self,
        points: &[Point],
    ) -> Result<Option<(Columns, Option<Columns>)>, ColumnError> {
        let before = (self.bytes.len(), self.axes.len());
        let added = self.put(points)?;
        if self.bytes.len() > PACK && before.0 > 0 {
            self.bytes.truncate(before.0);
            self.axes.truncate(before.1);
            return Ok(None);
        }
        Ok(Some(added))
    }

    fn put(&mut self, points: &[Point]) -> Result<(Columns, Option<Columns>), ColumnError> {
        let columns = self.columns(points)?;
        let summary = (points.len() > 2 * SUMMARY * POINTS_PER_BUCKET).then(|| {
            let mut pyramid = Pyramid::new(SUMMARY);
            pyramid.extend(points.iter().copied());
            let drawn: Vec<Point> = pyramid.points().collect();
            self.columns(&drawn)
        });
        Ok((columns, summary.transpose()?))
    }

    fn columns(&mut self, points: &[Point]) -> Result<Columns, ColumnError> {
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

/// Reads points back.
pub(super) fn points(pack: &[u8], columns: &Columns) -> Result<Vec<Point>, ColumnError> {
    let steps = numbers::<u64>(pack, columns.steps)?;
    let times = numbers::<i64>(pack, columns.times)?;
    let values = numbers::<f64>(pack, columns.values)?;
    if steps.len() != times.len() || steps.len() != values.len() {
        return Err(ColumnError("columns of unequal length".to_owned()));
    }
    let rows = steps.into_iter().zip(times).zip(values);
    Ok(rows.map(|((step, time_ms), value)| Point { step, value, time_ms }).collect())
}

/// The pyramid that a summary was drawn of.
pub(super) fn summary(pack: &[u8], columns: &Columns) -> Result<Pyramid, ColumnError> {
    let mut pyramid = Pyramid::new(SUMMARY);
    pyramid.extend(points(pack, columns)?);
    Ok(pyramid)
}

fn numbers<T: Number>(pack: &[u8], (offset, length): Column) -> Result<Vec<T>, ColumnError> {
    let end = offset as usize + length as usize;
    let bytes = pack.get(offset as usize..end).ok_or_else(|| ColumnError("it ends too early".to_owned()))?;
    simple_decompress(bytes).map_err(|error| ColumnError(error.to_string()))
}
