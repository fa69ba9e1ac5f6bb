use std::time::{Duration, Instant};

use episodes::{Window, feature_names};

use crate::{
    classifier::{Classifier, Vote},
    fit::Fit,
    matrix::Matrix,
    projection::AXES,
    watch::{Stopped, Watch},
};

/// Places and classifies windows one by one, as they are recorded.
pub struct Detector<'a> {
    fit: &'a Fit,
    classifier: Classifier<'a>,
    /// Where each feature of the fit stands in a window.
    columns: Vec<usize>,
}

/// What a fit says of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// In the unit cube.
    pub place: [f32; AXES],
    /// From 0.
    pub cluster: i32,
    /// Its phase.
    pub vote: Vote,
    /// How long it took to tell.
    pub latency: Duration,
}

/// A fit of other features than those of telemetry.
#[derive(Debug, thiserror::Error)]
#[error(
    "the fit was made of another schema: {} of its {of} features are not in the telemetry, the first is `{}`",
    unknown.len(),
    unknown[0]
)]
pub struct OtherSchema {
    /// Those that are not known; at least one.
    unknown: Vec<String>,
    of: usize,
}

impl<'a> Detector<'a> {
    /// Tells phases by a fit.
    ///
    /// # Errors
    /// It asks for features that windows of telemetry do not have.
    pub fn new(fit: &'a Fit) -> Result<Self, OtherSchema> {
        let known: Vec<String> = feature_names().collect();
        let place = |name: &String| known.iter().position(|other| other == name);
        let columns: Vec<usize> = fit.feature_names.iter().filter_map(place).collect();
        if columns.len() < fit.feature_names.len() {
            let unknown = fit.feature_names.iter().filter(|name| place(name).is_none()).cloned().collect();
            return Err(OtherSchema { unknown, of: fit.feature_names.len() });
        }
        Ok(Self { fit, classifier: fit.classifier(), columns })
    }

    /// What the fit says of a window.
    pub fn detect(&self, window: &Window, watch: &dyn Watch) -> Result<Detection, Stopped> {
        let start = Instant::now();
        let mut features = Matrix::zeros(1, self.columns.len());
        for (feature, column) in features.row_mut(0).iter_mut().zip(&self.columns) {
            *feature = window.features[*column];
        }
        let z = self.fit.standardizer.transform(features, watch)?;
        let place = self.fit.projection.place(&z, watch)?[0];
        let cluster = self.fit.clusters.assign(&z, watch)?[0];
        let vote = self.classifier.classify(&z, watch)?[0];
        Ok(Detection { place, cluster, vote, latency: start.elapsed() })
    }
}
