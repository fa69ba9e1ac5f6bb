use linfa::ParamGuard;

use crate::{projector::Projector, split::Recipe};

/// Most clusters: a page holds the cluster of a point in one byte.
pub(crate) const MOST_CLUSTERS: usize = 256;
/// Most neighbours that vote: the nearest of a window are kept in order, one by one.
pub(crate) const MOST_NEIGHBOURS: usize = 1_000;

/// How to make a fit, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProduceParams(ProduceValidParams);

/// How to make a fit: 1 to [`MOST_CLUSTERS`] clusters, 1 to [`MOST_NEIGHBOURS`] neighbours, training
/// hosts only with the recipe that uses them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProduceValidParams {
    pub(crate) projector: Projector,
    pub(crate) clusters: usize,
    pub(crate) neighbours: usize,
    pub(crate) recipe: Recipe,
    pub(crate) train_hosts: Vec<String>,
    pub(crate) seed: u64,
}

/// A parameter outside its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProduceParamsError {
    /// Out of bounds.
    #[error("--k-clusters {0}: expected 1 to {MOST_CLUSTERS}")]
    Clusters(usize),
    /// Out of bounds.
    #[error("--k-neighbors {0}: expected 1 to {MOST_NEIGHBOURS}")]
    Neighbours(usize),
    /// Training hosts would be ignored.
    #[error("--train-hosts goes with --split-recipe host, not with {0}")]
    TrainHosts(Recipe),
}

impl Default for ProduceParams {
    fn default() -> Self {
        Self(ProduceValidParams {
            projector: Projector::Lda,
            clusters: 8,
            neighbours: 10,
            recipe: Recipe::Host,
            train_hosts: Vec::new(),
            seed: 0,
        })
    }
}

impl ProduceParams {
    /// How axes are found.
    #[must_use]
    pub fn projector(mut self, projector: Projector) -> Self {
        self.0.projector = projector;
        self
    }

    /// Number of k-means clusters.
    #[must_use]
    pub fn clusters(mut self, clusters: usize) -> Self {
        self.0.clusters = clusters;
        self
    }

    /// Number of neighbours that vote.
    #[must_use]
    pub fn neighbours(mut self, neighbours: usize) -> Self {
        self.0.neighbours = neighbours;
        self
    }

    /// How windows are parted.
    #[must_use]
    pub fn recipe(mut self, recipe: Recipe) -> Self {
        self.0.recipe = recipe;
        self
    }

    /// Training hosts; empty: the host with the most accepted episodes.
    #[must_use]
    pub fn train_hosts(mut self, hosts: Vec<String>) -> Self {
        self.0.train_hosts = hosts;
        self
    }

    /// Of everything that is drawn.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

impl ParamGuard for ProduceParams {
    type Checked = ProduceValidParams;
    type Error = ProduceParamsError;

    fn check_ref(&self) -> Result<&ProduceValidParams, ProduceParamsError> {
        let params = &self.0;
        if !(1..=MOST_CLUSTERS).contains(&params.clusters) {
            Err(ProduceParamsError::Clusters(params.clusters))
        } else if !(1..=MOST_NEIGHBOURS).contains(&params.neighbours) {
            Err(ProduceParamsError::Neighbours(params.neighbours))
        } else if params.recipe != Recipe::Host && !params.train_hosts.is_empty() {
            Err(ProduceParamsError::TrainHosts(params.recipe))
        } else {
            Ok(params)
        }
    }

    fn check(self) -> Result<ProduceValidParams, ProduceParamsError> {
        self.check_ref()?;
        Ok(self.0)
    }
}
