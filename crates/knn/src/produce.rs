use std::{collections::BTreeSet, time::Duration};

use episodes::Phase;

use crate::{
    classifier::Classifier,
    fit::Fit,
    kmeans::{ClusterError, Clusters},
    latency::{WINDOWS_ALONE, single_window_latency},
    matrix::Matrix,
    neighbours::Among,
    origin::Busiest,
    params::ProduceValidParams,
    points::Points,
    projection::{ProjectError, Projection},
    projector::Projector,
    sample::{self, Use},
    score::Score,
    split::{Recipe, Split, SplitError},
    standardize::{StandardizeError, Standardizer},
    table::WindowTable,
    watch::{Stage, Stopped, Watch},
};

/// Most training rows that the projection is fit on, drawn by the seed.
const PROJECTION_ROWS: usize = 50_000;
/// Most training rows that UMAP lays out, drawn by the seed.
const UMAP_ROWS: usize = 20_000;
/// Most training rows that the centroids are fit on, drawn by the seed.
const CLUSTER_ROWS: usize = 100_000;
/// Most validation windows that are classified for their score, drawn by the seed: enough for an interval
/// of a hundredth or two either way, and the test is what counts.
const VALIDATION_ROWS: usize = 2_000;

/// What a produce made.
#[derive(Debug, Clone)]
pub struct Produced {
    /// What was learned.
    pub fit: Fit,
    /// Every window, placed and classified.
    pub points: Points,
    /// What to say of it.
    pub report: Report,
}

/// What a person wants to know of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Windows that were learned from: training and validation.
    pub train_rows: usize,
    /// Windows that were not.
    pub test_rows: usize,
    /// Hosts of the training windows, by name.
    pub train_hosts: Vec<String>,
    /// Why the training host was picked, if nobody named one.
    pub picked: Option<Busiest>,
    /// Hosts of the test windows, by name.
    pub test_hosts: Vec<String>,
    /// Feature columns that vary.
    pub kept: usize,
    /// Feature columns that do not.
    pub dropped: Vec<String>,
    /// Macro F1 on validation windows, at most 2,000 drawn by the seed, by neighbours among the training
    /// windows that are not for validation; medians, means and deviations are those of both. `None` without
    /// validation windows.
    pub within: Option<Score>,
    /// Macro F1 on the test windows, by neighbours among all training windows.
    pub held_out: Score,
    /// Median time to classify one test window that comes alone, on this machine.
    pub latency: Option<Duration>,
}

/// Why no fit was made.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// Windows could not be parted.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// There is nothing to tell apart.
    #[error("all {rows} training windows are `{phase}`: expected windows of at least two phases")]
    OnePhase {
        /// The phase.
        phase: Phase,
        /// Training windows.
        rows: usize,
    },
    /// Not enough to vote.
    #[error("{neighbours} neighbours need at least as many training windows; there are {rows}")]
    TooFewRows {
        /// Neighbours asked for.
        neighbours: usize,
        /// Training windows.
        rows: usize,
    },
    /// Nothing could be standardized.
    #[error(transparent)]
    Standardize(#[from] StandardizeError),
    /// No axes.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// No clusters.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The watch asked for it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl ProduceError {
    /// Whether it ended because its watch asked for it.
    pub fn is_stop(&self) -> bool {
        matches!(
            self,
            Self::Stopped(_)
                | Self::Standardize(StandardizeError::Stopped(_))
                | Self::Project(ProjectError::Stopped(_))
                | Self::Cluster(ClusterError::Stopped(_))
        )
    }
}

impl ProduceValidParams {
    /// Learns from the training and validation windows of the table; places, assigns and classifies
    /// all of them. Training windows keep their own phase as prediction.
    ///
    /// Runs on the current rayon pool. Equal input and parameters give equal results, to the bit, on
    /// any number of threads of one kind of machine.
    pub fn produce(&self, table: WindowTable, watch: &dyn Watch) -> Result<Produced, ProduceError> {
        let (split, train_hosts, picked) = self.split(&table)?;
        let learned = split.learned();
        self.check(&table.phases, &learned)?;

        let standardizer = Standardizer::fit(&table.features, &learned, watch)?;
        let WindowTable { feature_names, features, phases, origin, .. } = table;
        let z = standardizer.transform(features, watch)?;

        let most = if self.projector == Projector::Umap { UMAP_ROWS } else { PROJECTION_ROWS };
        let axis_rows = sample::drawn(&learned, most, self.seed, Use::ProjectionRows);
        let codes: Vec<u8> = phases.iter().map(|phase| phase.code()).collect();
        let projection = Projection::fit(self.projector, &z, &axis_rows, &codes, self.seed, watch)?;
        let places = projection.place(&z, watch)?;

        let cluster_rows = sample::drawn(&learned, CLUSTER_ROWS, self.seed, Use::ClusterRows);
        let clusters = Clusters::fit(&z, &cluster_rows, self.clusters, self.seed, watch)?;
        let assigned = clusters.assign(&z, watch)?;

        let validated = sample::drawn(&split.validation, VALIDATION_ROWS, self.seed, Use::Validation);
        watch.begin(Stage::Classify, (validated.len() + split.test.len()) as u64);
        let phases_of =
            |rows: &[u32]| -> Vec<Phase> { rows.iter().map(|&row| phases[row as usize]).collect() };
        let (validation, test) = (z.select(&validated), z.select(&split.test));
        let mut training = z;
        training.retain(&learned);
        let training_phases = phases_of(&learned);
        let classifier = Classifier::new(&training, &training_phases, self.neighbours);
        let tell = |among: Among<'_>, windows: &Matrix| {
            let votes = classifier.classify_among(among, windows, watch)?;
            Ok::<Vec<Phase>, Stopped>(votes.into_iter().map(|vote| vote.phase).collect())
        };
        let told = tell(Among::All, &test)?;
        let told_within = if validated.is_empty() {
            None
        } else {
            // One index serves both: what is searched for validation windows are the others.
            let marks: Vec<bool> =
                learned.iter().map(|row| split.validation.binary_search(row).is_err()).collect();
            Some(tell(Among::Marked(&marks), &validation)?)
        };

        let alone = sample::evenly(test.rows(), WINDOWS_ALONE);
        watch.begin(Stage::Measure, alone.len() as u64);
        let score = |rows: &[u32], told: &[Phase]| Score::told(&origin, &phases, rows, told, self.seed);
        let within = told_within.map(|told| score(&validated, &told));
        let held_out = score(&split.test, &told);
        let latency = single_window_latency(&classifier, &test, &alone, watch)?;
        drop(classifier);

        let mut predicted = phases.clone();
        let mut is_train = vec![true; phases.len()];
        for (&row, told) in split.test.iter().zip(told) {
            predicted[row as usize] = told;
            is_train[row as usize] = false;
        }
        let hosts_of = |rows: &[u32]| {
            let names: BTreeSet<&str> = rows.iter().map(|&row| origin.hosts.name(row as usize)).collect();
            names.into_iter().map(str::to_owned).collect()
        };
        let dropped = (0_u32..).zip(&feature_names);
        let report = Report {
            train_rows: learned.len(),
            test_rows: split.test.len(),
            train_hosts: hosts_of(&learned),
            picked,
            test_hosts: hosts_of(&split.test),
            kept: standardizer.kept.len(),
            dropped: dropped
                .filter(|(column, _)| standardizer.kept.binary_search(column).is_err())
                .map(|(_, name)| name.clone())
                .collect(),
            within,
            held_out,
            latency,
        };
        let points = Points {
            projector: Some(self.projector.to_string()),
            origin,
            places,
            phases,
            predicted,
            clusters: assigned,
            is_train,
        };
        let fit = Fit {
            feature_names,
            standardizer,
            projection,
            clusters,
            training,
            phases: training_phases,
            neighbours: self.neighbours,
            seed: self.seed,
            recipe: self.recipe,
            train_hosts,
        };
        Ok(Produced { fit, points, report })
    }

    /// The split of a table, its training hosts, and why one was picked if nobody named any.
    pub(crate) fn split(
        &self,
        table: &WindowTable,
    ) -> Result<(Split, Vec<String>, Option<Busiest>), SplitError> {
        let picks = self.recipe == Recipe::Host && self.train_hosts.is_empty();
        let picked = table.busiest_host.clone().filter(|_| picks);
        let train_hosts = match &picked {
            Some(picked) => vec![picked.host.clone()],
            None => self.train_hosts.clone(),
        };
        let split = Split::new(self.recipe, &train_hosts, &table.origin, table.samples.as_ref(), self.seed)?;
        Ok((split, train_hosts, picked))
    }

    pub(crate) fn check(&self, phases: &[Phase], learned: &[u32]) -> Result<(), ProduceError> {
        let first = learned.first().map(|&row| phases[row as usize]);
        if let Some(phase) = first
            && learned.iter().all(|&row| phases[row as usize] == phase)
        {
            return Err(ProduceError::OnePhase { phase, rows: learned.len() });
        }
        if learned.len() < self.neighbours {
            return Err(ProduceError::TooFewRows { neighbours: self.neighbours, rows: learned.len() });
        }
        if learned.len() < self.clusters {
            return Err(ClusterError::TooFewRows { clusters: self.clusters, rows: learned.len() }.into());
        }
        Ok(())
    }
}
