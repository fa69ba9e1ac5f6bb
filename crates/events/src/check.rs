use crate::refusal::Fault;
use crate::{Event, MAX_SNAPSHOT_ROWS, PROFILE_POINTS, RECENT_EPISODES, Real, batch, run};

impl Event<'_> {
    /// Checks what one field alone cannot show: lengths, and how fields fit together.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::EmbeddingSnapshot(event) if !(1..=MAX_SNAPSHOT_ROWS).contains(&event.rows) => {
                Err(Fault::new("/rows", "1 to 4000000 rows", event.rows))
            }
            Self::ModelMetric(event) => match (event.low, event.high) {
                (Some(low), Some(high)) if low > high => {
                    let expected = format!("at least low, which is {}", low.get());
                    Err(Fault::new("/high", expected, high.get()))
                }
                _ => Ok(()),
            },
            Self::AttackProfile(event) => {
                let points = |name: &str, values: &[Real]| match values.len() {
                    PROFILE_POINTS => Ok(()),
                    other => Err(Fault::new(format!("/{name}"), "80 numbers", format!("{other} numbers"))),
                };
                points("median", &event.median)?;
                points("p25", &event.p25)?;
                points("p75", &event.p75)?;
                match event.phase_budget.values().map(|points| u64::from(*points)).sum::<u64>() {
                    sum if sum == PROFILE_POINTS as u64 => Ok(()),
                    sum => Err(Fault::new("/phase_budget", "points that add up to 80", sum)),
                }
            }
            Self::Snapshot(event) if event.recent_episodes.len() > RECENT_EPISODES => {
                let came = format!("{} episodes", event.recent_episodes.len());
                Err(Fault::new("/recent_episodes", "at most 200 episodes", came))
            }
            Self::MetricPoints(event) if !(1..=run::MAX_POINTS).contains(&event.points.len()) => {
                Err(Fault::new("/points", "1 to 100000 points", format!("{} points", event.points.len())))
            }
            Self::MetricPoints(event) => {
                for (index, run::Point(step, _, unix_s)) in event.points.iter().enumerate() {
                    if *step > run::MAX_STEP {
                        return Err(Fault::new(format!("/points/{index}/0"), "a step below 2^53", step));
                    }
                    if !run::TIMES.contains(&unix_s.get()) {
                        let expected = "seconds since 1970, in the years 0 to 9999";
                        return Err(Fault::new(format!("/points/{index}/2"), expected, unix_s.get()));
                    }
                }
                Ok(())
            }
            Self::Tiles(event) if event.tiles.len() > batch::TILES => {
                Err(Fault::new("/tiles", "at most 16 tiles", format!("{} tiles", event.tiles.len())))
            }
            Self::Tiles(event) if usize::from(event.filled) != event.tiles.len() => {
                let expected = format!("the number of tiles, which is {}", event.tiles.len());
                Err(Fault::new("/filled", expected, event.filled))
            }
            Self::Tiles(event) if event.ready != (event.tiles.len() == batch::TILES) => {
                Err(Fault::new("/ready", "true with 16 tiles and false with fewer", event.ready))
            }
            _ => Ok(()),
        }
    }
}
