use std::collections::HashSet;
use std::fmt;

use crate::windower::Grid;
use crate::{Episode, Phase};

/// Whether an episode is fit for use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All phases were sampled and sampling kept up, from the first label to the end of the recording.
    Accepted,
    /// Usable, with a shortcoming: a phase without a sample, more than a tenth of the samples missing, or
    /// more than a second without one, be it at the beginning or at the end.
    Degraded,
    /// Not usable: unreadable, shorter than a window, samples of fewer than two phases, more than half of
    /// the samples missing, or a run that failed.
    Rejected,
}

impl Status {
    /// The word in the validation table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Degraded => "degraded",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const PHASES: [Phase; 5] =
    [Phase::Clean, Phase::Armed, Phase::Infecting, Phase::InfectedRunning, Phase::Dormant];

/// Judges an episode by the rules at [`Status`], and says what is short of accepted.
pub fn judge(episode: &Episode, grid: Grid) -> (Status, Vec<String>) {
    let Episode { meta, labels, samples } = episode;
    let mut status = Status::Accepted;
    let mut reasons = Vec::new();
    let mut find = |found: Status, reason: String| {
        status = status.max(found);
        reasons.push(reason);
    };
    // Windows begin with the first label: what was sampled before it is of no phase.
    let begin = labels.first().map_or(0, |label| label.t_mono_ns);
    let samples = &samples[samples.partition_point(|sample| sample.t_mono_ns < begin)..];
    let Some(last) = samples.last() else {
        find(Status::Rejected, "no telemetry".to_owned());
        return (status, reasons);
    };
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    let length = last.t_mono_ns - begin;
    if length < grid.window_ns() {
        find(Status::Rejected, format!("{:.1} s are shorter than a window", seconds(length)));
    }
    // Of the whole recording, not only of what telemetry there is of it.
    let end = meta.ended_mono_ns.max(last.t_mono_ns);
    let expected = seconds(end - begin) * meta.sample_hz + 1.0;
    let part = samples.len() as f64 / expected;
    if part < 0.9 {
        let found = if part < 0.5 { Status::Rejected } else { Status::Degraded };
        find(found, format!("{} of {expected:.0} samples", samples.len()));
    }
    let times = samples.iter().map(|sample| sample.t_mono_ns);
    let times: Vec<u64> = [begin].into_iter().chain(times).chain([end]).collect();
    let pause = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    // Where a second is no pause, because samples are further apart, two periods are one.
    let allowed = f64::max(1.0, 2.0 / meta.sample_hz);
    if seconds(pause) > allowed {
        find(Status::Degraded, format!("no sample for {:.1} s", seconds(pause)));
    }
    if labels.iter().any(|label| label.phase == Phase::Failed) {
        find(Status::Rejected, "the run failed".to_owned());
    }
    let phase_at = |time: u64| labels[..labels.partition_point(|label| label.t_mono_ns <= time)].last();
    let sampled: HashSet<Phase> =
        samples.iter().filter_map(|sample| phase_at(sample.t_mono_ns)).map(|label| label.phase).collect();
    let missing: Vec<&str> =
        PHASES.into_iter().filter(|phase| !sampled.contains(phase)).map(Phase::name).collect();
    if missing.len() > 3 {
        find(Status::Rejected, "fewer than two phases".to_owned());
    } else if !missing.is_empty() {
        find(Status::Degraded, format!("no {}", missing.join(", no ")));
    }
    (status, reasons)
}
