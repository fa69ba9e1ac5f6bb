use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use publisher::{PublishError, Publisher};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{Model, Report};

/// When reports are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All of them, every so often.
    Every(Duration),
    /// Those that changed, looked for every so often; all of them every 30 s.
    OnChange(Duration),
    /// All of them, once.
    Once,
}

/// Between two publications of a report that does not change.
const AGAIN: Duration = Duration::from_secs(30);

/// Publishes the models' reports at this pace; returns after one round at [`Pace::Once`], else
/// never without an error. Returns the number of models that had a report in the last round.
///
/// A folder of a few small files is read whole each round: what is unchanged is what reads the
/// same, whatever clocks and inodes say.
pub async fn watch(
    folder: &Path,
    models: &[Model],
    pace: Pace,
    publisher: &Publisher,
) -> Result<usize, PublishError> {
    let tick = match pace {
        Pace::Every(tick) | Pace::OnChange(tick) => tick,
        Pace::Once => AGAIN,
    };
    let mut rounds = interval(tick);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = Known::default();
    loop {
        rounds.tick().await;
        let now = Instant::now();
        let mut readable = 0;
        for model in models {
            let Some(report) = known.read(folder, *model) else { continue };
            readable += 1;
            if !matches!(pace, Pace::OnChange(_)) || known.is_due(*model, &report, now) {
                for event in report.events(*model) {
                    publisher.replace(event)?;
                }
                known.published.insert(*model, (report, now));
            }
        }
        if pace == Pace::Once {
            publisher.flush().await?;
            return Ok(readable);
        }
    }
}

/// What was said and published so far.
#[derive(Default)]
struct Known {
    /// What was last said of a model whose report cannot be used.
    complaints: BTreeMap<Model, String>,
    published: BTreeMap<Model, (Report, Instant)>,
}

impl Known {
    fn read(&mut self, folder: &Path, model: Model) -> Option<Report> {
        match Report::read(folder, model) {
            Ok(report) => {
                if self.complaints.remove(&model).is_some() {
                    tracing::info!("{}: the report is there now", model.name());
                }
                Some(report)
            }
            Err(error) => {
                let complaint = error.to_string();
                if self.complaints.get(&model) != Some(&complaint) {
                    tracing::warn!("{}: {complaint}", model.name());
                    self.complaints.insert(model, complaint);
                }
                None
            }
        }
    }

    fn is_due(&self, model: Model, report: &Report, now: Instant) -> bool {
        self.published.get(&model).is_none_or(|(last, at)| last != report || now.duration_since(*at) >= AGAIN)
    }
}
