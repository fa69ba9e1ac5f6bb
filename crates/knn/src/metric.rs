use std::time::Duration;

use episodes::Phase;

use crate::{
    classifier::Classifier,
    latency::{WINDOWS_ALONE, single_window_latency},
    params::ProduceValidParams,
    produce::ProduceError,
    sample,
    score::Score,
    standardize::Standardizer,
    table::WindowTable,
    watch::{Stage, Watch},
};

/// How well neighbours among the training windows tell the phases of the test windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Macro F1 on the test windows.
    pub held_out: Score,
    /// Training windows: those of the validation are left out, unlike those of a fit.
    pub train_rows: usize,
    /// Hosts of the training windows, where the recipe parts hosts.
    pub train_hosts: Vec<String>,
    /// Median time to classify one test window that comes alone, on this machine.
    pub latency: Option<Duration>,
}

impl ProduceValidParams {
    /// Classifies the test windows of the table by its training windows and scores the answers: what
    /// [`produce`](Self::produce) would do without placing, clustering and learning from the validation
    /// windows.
    pub fn metric(&self, table: &WindowTable, watch: &dyn Watch) -> Result<Metric, ProduceError> {
        let (split, train_hosts, _) = self.split(table)?;
        self.check(&table.phases, &split.train)?;
        let standardizer = Standardizer::fit(&table.features, &split.train, watch)?;
        let training = standardizer.transform(table.features.select(&split.train), watch)?;
        let test = standardizer.transform(table.features.select(&split.test), watch)?;
        let phases: Vec<Phase> = split.train.iter().map(|&row| table.phases[row as usize]).collect();

        watch.begin(Stage::Classify, split.test.len() as u64);
        let classifier = Classifier::new(&training, &phases, self.neighbours);
        let votes = classifier.classify(&test, watch)?;
        let alone = sample::evenly(split.test.len(), WINDOWS_ALONE);
        watch.begin(Stage::Measure, alone.len() as u64);
        let told: Vec<Phase> = votes.into_iter().map(|vote| vote.phase).collect();
        Ok(Metric {
            held_out: Score::told(&table.origin, &table.phases, &split.test, &told, self.seed),
            train_rows: split.train.len(),
            train_hosts,
            latency: single_window_latency(&classifier, &test, &alone, watch)?,
        })
    }
}
