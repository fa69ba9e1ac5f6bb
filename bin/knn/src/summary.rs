use std::{fmt, time::Duration};

use knn::{Axes, Busiest, FitId, Map, Produced, Score, Stage};

/// What produce did, for a person.
pub(crate) struct Summary<'a> {
    pub(crate) produced: &'a Produced,
    pub(crate) id: &'a FitId,
    pub(crate) stages: &'a [(Stage, Duration)],
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Produced { fit, points, report } = self.produced;
        let columns = fit.feature_names.len();
        let episodes = points.origin.episodes.names().len();
        writeln!(f, "fit {}: {} windows of {episodes} episodes", self.id.0, points.rows())?;
        write!(f, "  columns   {} of {columns} vary", report.kept)?;
        match report.dropped.as_slice() {
            [] => writeln!(f)?,
            few if few.len() <= NAMED => writeln!(f, "; dropped {}", few.join(", "))?,
            [first @ .., _] => {
                let named = first.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
                writeln!(f, "; dropped {named} and {} more", report.dropped.len() - NAMED)?;
            }
        }
        write!(f, "  train     {} windows of {}", report.train_rows, report.train_hosts.join(", "))?;
        match &report.picked {
            Some(Busiest { episodes, accepted, .. }) => {
                let accepted = if *accepted { "accepted " } else { "" };
                writeln!(f, " (picked: most {accepted}episodes, {episodes})")?;
            }
            None => writeln!(f)?,
        }
        writeln!(f, "  test      {} windows of {}", report.test_rows, report.test_hosts.join(", "))?;
        writeln!(f, "  split     {}, seed {}", fit.recipe, fit.seed)?;
        if let Some(score) = &report.within {
            writeln!(f, "  F1        {} on validation windows, by the other training windows", Shown(score))?;
        }
        writeln!(f, "  F1        {} on test", Shown(&report.held_out))?;
        let shares = |axes: &Axes| {
            let shares: Vec<String> =
                axes.captured.iter().map(|share| format!("{:.1} %", 100.0 * share)).collect();
            shares.join(", ")
        };
        let told = match &fit.projection.map {
            Map::Pca(axes) => format!("axes hold {} of the variance", shares(axes)),
            Map::Lda(axes) => format!("axes hold {} of the variance between phases", shares(axes)),
            Map::Umap(umap) => {
                format!("{} training windows laid out, the others placed among them", umap.layout.len())
            }
        };
        writeln!(f, "  {:<9} {told}", fit.projection.projector())?;
        writeln!(f, "  clusters  {}, inertia {:.6e}", fit.clusters.centroids.rows(), fit.clusters.inertia)?;
        let stages: Vec<String> =
            self.stages.iter().map(|(stage, took)| format!("{stage} {:.3} s", took.as_secs_f64())).collect();
        writeln!(f, "  time      {}", stages.join(", "))?;
        match report.latency {
            Some(latency) => {
                writeln!(f, "  latency   {:.0} us to classify one window alone", latency.as_secs_f64() * 1e6)
            }
            None => Ok(()),
        }
    }
}

/// Dropped columns that are named.
const NAMED: usize = 3;

/// A score in one line.
pub(crate) struct Shown<'a>(pub(crate) &'a Score);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Score { macro_f1, interval, rows, episodes } = self.0;
        write!(f, "{macro_f1:.3}")?;
        if let Some((low, high)) = interval {
            write!(f, " [{low:.3}, {high:.3}]")?;
        }
        write!(f, " ({rows} windows of {episodes} episodes)")
    }
}
