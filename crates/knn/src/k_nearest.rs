//! The search as linfa knows classifiers: a dataset in, labels out.

use linfa::{
    Label, ParamGuard,
    dataset::{AsSingleTargets, AsTargets, DatasetBase},
    traits::{Fit, PredictInplace},
};
use ndarray::{Array1, ArrayBase, Data, Ix2};

use crate::{
    classifier::heaviest,
    matrix::Matrix,
    neighbours::{self, Search},
    watch::Unwatched,
};

/// How a [`KNearest`] is fitted.
///
/// ```
/// use knn::KNearest;
/// use linfa::{Dataset, traits::{Fit, Predict}};
/// use ndarray::array;
///
/// let dataset = Dataset::new(array![[0.0_f32, 0.0], [0.1, 0.0], [5.0, 5.0]], array![0_usize, 0, 1]);
/// let model = KNearest::params(2).fit(&dataset)?;
/// assert_eq!(model.predict(&array![[0.0_f32, 0.1], [4.0, 4.0]]), array![0, 1]);
/// # Ok::<(), knn::KNearestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KNearestParams(KNearestValidParams);

/// Checked [`KNearestParams`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KNearestValidParams {
    neighbours: usize,
}

/// Why a [`KNearest`] could not be fitted.
#[derive(Debug, thiserror::Error)]
pub enum KNearestError {
    /// Nobody would vote.
    #[error("0 neighbours: expected at least 1")]
    NoNeighbours,
    /// There is nothing to be near to.
    #[error("a dataset of {samples} samples and {features} features: expected at least one of each")]
    Empty {
        /// Rows of the records.
        samples: usize,
        /// Columns of the records.
        features: usize,
    },
    /// Distances would mean nothing.
    #[error("sample {sample}, feature {feature}: expected a finite number, found {found}")]
    NotFinite {
        /// Row of the records.
        sample: usize,
        /// Column of the records.
        feature: usize,
        /// What is there.
        found: f32,
    },
    /// What linfa found.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

impl ParamGuard for KNearestParams {
    type Checked = KNearestValidParams;
    type Error = KNearestError;

    fn check_ref(&self) -> Result<&KNearestValidParams, KNearestError> {
        if self.0.neighbours == 0 { Err(KNearestError::NoNeighbours) } else { Ok(&self.0) }
    }

    fn check(self) -> Result<KNearestValidParams, KNearestError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

/// A classifier by the k nearest samples, exactly, weighted by the inverse of their distances.
///
/// As scikit-learn's `KNeighborsClassifier(weights="distance")`: a sample at distance 0 takes all the
/// weight, and of equally heavy labels the smallest wins. Records are float32.
pub struct KNearest<L> {
    search: Box<dyn Search>,
    /// Every label once, rising.
    labels: Vec<L>,
    /// The position in `labels` of every sample's.
    codes: Vec<usize>,
    neighbours: usize,
}

impl KNearest<()> {
    /// `neighbours` vote; fewer if there are fewer samples.
    pub fn params(neighbours: usize) -> KNearestParams {
        KNearestParams(KNearestValidParams { neighbours })
    }
}

impl<L: Label, D: Data<Elem = f32>, T: AsSingleTargets<Elem = L>> Fit<ArrayBase<D, Ix2>, T, KNearestError>
    for KNearestValidParams
{
    type Object = KNearest<L>;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<KNearest<L>, KNearestError> {
        let records = dataset.records();
        let (samples, features) = records.dim();
        if samples == 0 || features == 0 {
            return Err(KNearestError::Empty { samples, features });
        }
        if let Some(((sample, feature), &found)) =
            records.indexed_iter().find(|(_, value)| !value.is_finite())
        {
            return Err(KNearestError::NotFinite { sample, feature, found });
        }
        let targets = dataset.as_targets();
        let mut labels: Vec<L> = targets.iter().cloned().collect();
        labels.sort_unstable();
        labels.dedup();
        let codes = targets.iter().map(|label| labels.partition_point(|known| known < label)).collect();
        let search = neighbours::index(matrix(records));
        Ok(KNearest { search, labels, codes, neighbours: self.neighbours })
    }
}

impl<L: Label, D: Data<Elem = f32>> PredictInplace<ArrayBase<D, Ix2>, Array1<L>> for KNearest<L> {
    /// # Panics
    /// If the targets are not as many as the records, or the records are of other features than those
    /// of the fit. What is told of a record that is not finite means nothing.
    fn predict_inplace(&self, records: &ArrayBase<D, Ix2>, targets: &mut Array1<L>) {
        assert_eq!(records.nrows(), targets.len(), "one target a record");
        assert_eq!(records.ncols(), self.search.columns(), "records have the features of the fit");
        let Ok(found) = self.search.nearest(&matrix(records), self.neighbours, &Unwatched) else { return };
        for (target, neighbours) in targets.iter_mut().zip(found.iter()) {
            let (code, _) = heaviest(neighbours, self.labels.len(), |row| self.codes[row as usize]);
            target.clone_from(&self.labels[code]);
        }
    }

    fn default_target(&self, records: &ArrayBase<D, Ix2>) -> Array1<L> {
        Array1::default(records.nrows())
    }
}

fn matrix<D: Data<Elem = f32>>(records: &ArrayBase<D, Ix2>) -> Matrix {
    let mut matrix = Matrix::zeros(records.nrows(), records.ncols());
    for (place, &value) in matrix.values_mut().iter_mut().zip(records) {
        *place = value;
    }
    matrix
}
