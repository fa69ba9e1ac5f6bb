use std::{fmt::Write, path::Path};

use episodes::Phase;
use parquet::{
    data_type::{BoolType, FloatType, Int32Type, Int64Type},
    errors::ParquetError,
    file::metadata::KeyValue,
};
use sha2::{Digest, Sha256};

use crate::{
    columns::{ColumnError, Columns},
    origin::Origin,
    projection::AXES,
    row_group,
};

const COLUMNS: &str = "
    required binary episode_id (STRING);
    required binary host_id (STRING);
    required binary profile (STRING);
    required float x;
    required float y;
    required float z;
    required int32 phase_int (INTEGER(8,true));
    required int32 predicted_int (INTEGER(8,true));
    required int32 cluster (INTEGER(32,true));
    required boolean is_train;
";
/// The last column, of points that know it.
const WINDOW_IDX: &str = "required int64 window_idx;";
/// The key of the file's metadata that names the projector.
const PROJECTOR: &str = "projector";

/// Placed and classified windows: what a page shows of a fit, `knn_v1.parquet`. One a row of the
/// window table, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// How the places were found: `pca`, `lda`, `umap`; `None` in files of other writers that do not say.
    pub projector: Option<String>,
    /// Episode, host and profile of every window.
    pub origin: Origin,
    /// x, y, z in `[0, 1]`.
    pub places: Vec<[f32; AXES]>,
    /// Recorded phase.
    pub phases: Vec<Phase>,
    /// Predicted phase; of a training window, its own.
    pub predicted: Vec<Phase>,
    /// Number of the nearest centroid.
    pub clusters: Vec<i32>,
    /// Whether the fit learned from it.
    pub is_train: Vec<bool>,
}

/// The name of a fit, told by its bytes: equal for equal points, wherever they were computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FitId(pub String);

impl FitId {
    /// Of the bytes of a points file: 16 hexadecimal digits of their SHA-256.
    pub fn of(bytes: &[u8]) -> Self {
        let mut id = String::with_capacity(16);
        for byte in &Sha256::digest(bytes)[..8] {
            // Writing to a string cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self(id)
    }
}

impl Points {
    /// Number of points.
    pub fn rows(&self) -> usize {
        self.places.len()
    }

    /// These points only, in this order.
    pub fn select(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy>(all: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| all[row as usize]).collect()
        }
        Self {
            projector: self.projector.clone(),
            origin: self.origin.select(rows),
            places: pick(&self.places, rows),
            phases: pick(&self.phases, rows),
            predicted: pick(&self.predicted, rows),
            clusters: pick(&self.clusters, rows),
            is_train: pick(&self.is_train, rows),
        }
    }

    /// The bytes of the points file: parquet, zstd, one row group. Equal points give equal bytes.
    pub fn encode(&self) -> Result<Vec<u8>, ParquetError> {
        let window_idx = self.origin.window_idx.as_deref();
        let last = window_idx.map_or("", |_| WINDOW_IDX);
        let schema = format!("message points {{ {COLUMNS} {last} }}");
        let note = |projector: &String| vec![KeyValue::new(PROJECTOR.to_owned(), projector.clone())];
        row_group::encode(&schema, self.projector.as_ref().map(note), |group| {
            for names in [&self.origin.episodes, &self.origin.hosts, &self.origin.profiles] {
                group.names(names)?;
            }
            for axis in 0..AXES {
                let rows: Vec<f32> = self.places.iter().map(|place| place[axis]).collect();
                group.column::<FloatType>(&rows)?;
            }
            for phases in [&self.phases, &self.predicted] {
                let rows: Vec<i32> = phases.iter().map(|phase| phase.code().into()).collect();
                group.column::<Int32Type>(&rows)?;
            }
            group.column::<Int32Type>(&self.clusters)?;
            group.column::<BoolType>(&self.is_train)?;
            if let Some(window_idx) = window_idx {
                let rows: Vec<i64> = window_idx.iter().copied().map(i64::from).collect();
                group.column::<Int64Type>(&rows)?;
            }
            Ok(())
        })
    }

    /// Reads a points file of this or another writer, and its id.
    pub fn read(path: &Path) -> Result<(Self, FitId), ColumnError> {
        let columns = Columns::open(path)?;
        let id = FitId::of(&columns.bytes()?);
        let (mut places, mut coordinates) = (Vec::new(), Vec::new());
        for (axis, name) in ["x", "y", "z"].into_iter().enumerate() {
            let column = columns.get(name)?;
            columns.floats(&column, &mut coordinates)?;
            // As many as there are, not as many as the file says.
            places.resize(coordinates.len(), [0.0; AXES]);
            for (row, (place, &coordinate)) in places.iter_mut().zip(&coordinates).enumerate() {
                if !(0.0..=1.0).contains(&coordinate) {
                    let found = coordinate.to_string();
                    return Err(columns.value(&column, row, "a number from 0 to 1", found));
                }
                place[axis] = coordinate;
            }
        }
        let phases =
            |name| columns.integers(&columns.get(name)?, "a phase code from 0 to 5", Phase::from_code);
        let cluster = |number| i32::try_from(number).ok().filter(|number| *number >= 0);
        let points = Self {
            projector: columns.note(PROJECTOR),
            origin: columns.origin()?,
            places,
            phases: phases("phase_int")?,
            predicted: phases("predicted_int")?,
            clusters: columns.integers(&columns.get("cluster")?, "a cluster number from 0", cluster)?,
            is_train: columns.booleans(&columns.get("is_train")?)?,
        };
        Ok((points, id))
    }
}
