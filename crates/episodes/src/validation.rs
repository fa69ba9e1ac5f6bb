use std::fmt;

use crate::windower::Grid;
use crate::{Episode, Phase};

/// Whether an episode is fit for use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All phases are there and sampling kept up.
    Accepted,
    /// Usable, with a shortcoming: a phase is missing, more than a tenth of the samples are missing, or
    /// sampling paused for more than a second.
    Degraded,
    /// Not usable: unreadable, shorter than a window, fewer than two phases, more than half of the
    /// samples missing, or a run that failed.
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
pub(crate) fn judge(episode: &Episode, grid: Grid) -> (Status, Vec<String>) {
    let Episode { meta, labels, samples } = episode;
    let mut status = Status::Accepted;
    let mut reasons = Vec::new();
    let mut find = |found: Status, reason: String| {
        status = status.max(found);
        reasons.push(reason);
    };
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        find(Status::Rejected, "no telemetry".to_owned());
        return (status, reasons);
    };
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    let length = last.t_mono_ns - first.t_mono_ns;
    // Windows begin with the first label.
    let begin = labels.first().map_or(first.t_mono_ns, |label| label.t_mono_ns);
    if last.t_mono_ns.saturating_sub(begin) < grid.window_ns() {
        find(Status::Rejected, format!("{:.1} s are shorter than a window", seconds(length)));
    }
    let expected = seconds(length) * meta.sample_hz + 1.0;
    let part = samples.len() as f64 / expected;
    if part < 0.9 {
        let found = if part < 0.5 { Status::Rejected } else { Status::Degraded };
        find(found, format!("{} of {expected:.0} samples", samples.len()));
    }
    let pause = samples.windows(2).map(|pair| pair[1].t_mono_ns - pair[0].t_mono_ns).max().unwrap_or(0);
    // Where a second is no pause, because samples are further apart, two periods are one.
    let allowed = f64::max(1.0, 2.0 / meta.sample_hz);
    if seconds(pause) > allowed {
        find(Status::Degraded, format!("no sample for {:.1} s", seconds(pause)));
    }
    if labels.iter().any(|label| label.phase == Phase::Failed) {
        find(Status::Rejected, "the run failed".to_owned());
    }
    let missing: Vec<&str> = PHASES
        .into_iter()
        .filter(|phase| labels.iter().all(|label| label.phase != *phase))
        .map(Phase::name)
        .collect();
    if missing.len() > 3 {
        find(Status::Rejected, "fewer than two phases".to_owned());
    } else if !missing.is_empty() {
        find(Status::Degraded, format!("no {}", missing.join(", no ")));
    }
    (status, reasons)
}
