use episodes::Phase;

use crate::{
    classifier::Classifier, kmeans::Clusters, matrix::Matrix, projection::Projection, split::Recipe,
    standardize::Standardizer,
};

/// Everything that a produce learned: all that is needed to standardize, place, assign and classify
/// a new window.
///
/// ```text
/// window -> standardizer -> z -> projection -> x, y, z
///                             -> clusters   -> nearest centroid
///                             -> classifier -> phase and confidence
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Columns of an input window, in order.
    pub feature_names: Vec<String>,
    /// Input window to `z`.
    pub standardizer: Standardizer,
    /// `z` to a place in the unit cube.
    pub projection: Projection,
    /// Centroids in the space of `z`.
    pub clusters: Clusters,
    /// Training windows as `z`.
    pub training: Matrix,
    /// Phase of every training window.
    pub phases: Vec<Phase>,
    /// Neighbours that vote.
    pub neighbours: usize,
    /// The seed it was made with.
    pub seed: u64,
    /// How training windows were told from the others.
    pub recipe: Recipe,
    /// The training hosts of [`Recipe::Host`]; empty for the others.
    pub train_hosts: Vec<String>,
}

impl Fit {
    /// Tells phases by all training windows.
    pub fn classifier(&self) -> Classifier<'_> {
        Classifier::new(&self.training, &self.phases, self.neighbours)
    }
}
