use std::{fmt, time::Duration};

use episodes::Phase;
use knn::{Axes, Busiest, Confusion, FitId, Map, Produced, Score, Stage};

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
            dropped => writeln!(f, "; dropped {}", named(dropped))?,
        }
        write!(f, "  train     {} windows of {}", report.train_rows, named(&report.train_hosts))?;
        match &report.picked {
            Some(Busiest { episodes, accepted, .. }) => {
                let accepted = if *accepted { "accepted " } else { "" };
                writeln!(f, " (picked: most {accepted}episodes, {episodes})")?;
            }
            None => writeln!(f)?,
        }
        writeln!(f, "  test      {} windows of {}", report.test_rows, named(&report.test_hosts))?;
        writeln!(f, "  split     {}, seed {}", fit.recipe, fit.seed)?;
        if let Some(score) = &report.within {
            writeln!(f, "  F1        {} on validation windows, by the other training windows", Shown(score))?;
        }
        writeln!(f, "  F1        {} on test", Shown(&report.held_out))?;
        write!(f, "{}", Table(&report.held_out.confusion))?;
        let shares = |axes: &Axes| match axes.captured.as_slice() {
            [] => "no axis: the windows that it is fit on are all the same; they hold nothing".to_owned(),
            captured => {
                let shares: Vec<String> =
                    captured.iter().map(|share| format!("{:.1} %", 100.0 * share)).collect();
                format!("axes hold {}", shares.join(", "))
            }
        };
        let told = match &fit.projection.map {
            Map::Pca(axes) => format!("{} of the variance", shares(axes)),
            Map::Lda(axes) => format!("{} of the variance between phases", shares(axes)),
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

/// Names that are said before the others are counted.
const NAMED: usize = 5;

fn named(names: &[String]) -> String {
    match names.split_at_checked(NAMED) {
        Some((first, rest)) if rest.len() > 1 => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}

/// Which phase was taken for which: a line a phase, and in it how often it was taken for each.
struct Table<'a>(&'a Confusion);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |truth, told| self.0.count(truth, told);
        let is_there =
            |phase: &Phase| Phase::ALL.iter().any(|other| count(*phase, *other) + count(*other, *phase) > 0);
        let phases: Vec<Phase> = Phase::ALL.into_iter().filter(is_there).collect();
        write!(f, "            {:<17}", "is \\ told")?;
        phases.iter().try_for_each(|told| write!(f, "{:>17}", told.name()))?;
        for truth in &phases {
            write!(f, "\n            {:<17}", truth.name())?;
            phases.iter().try_for_each(|told| write!(f, "{:>17}", count(*truth, *told)))?;
        }
        writeln!(f)
    }
}

/// A score in one line.
pub(crate) struct Shown<'a>(pub(crate) &'a Score);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Score { macro_f1, interval, rows, episodes, .. } = self.0;
        write!(f, "{macro_f1:.3}")?;
        if let Some((low, high)) = interval {
            write!(f, " [{low:.3}, {high:.3}]")?;
        }
        write!(f, " ({rows} windows of {episodes} episodes)")
    }
}
