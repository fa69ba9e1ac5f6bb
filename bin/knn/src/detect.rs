use std::time::Duration;

use anyhow::Context;
use command::{Failure, Stop};
use episodes::Grid;
use knn::{Detector, Fit, Follow, Unwatched};
use publisher::Publisher;

use crate::args::DetectArgs;

/// What is written within this time is read together: with very many hosts, something is written all the time.
const TOGETHER: Duration = Duration::from_millis(5);

/// Classifies what is being recorded, until it is told to stop.
pub(crate) async fn detect(args: DetectArgs, stop: Stop) -> Result<(), Failure> {
    let grid = Grid::new(args.window, args.hop).map_err(Failure::usage)?;
    if args.follow.join("live").is_dir() {
        let dir = args.follow.display();
        return Err(Failure::usage(format!("--follow {dir}: that is a data root; expected {dir}/live")));
    }
    let fit = Fit::read(&args.model)?;
    let detector = Detector::new(&fit).with_context(|| format!("--model {}", args.model.display()))?;
    let publisher = Publisher::open("knn-detect", &args.publish)?;
    let mut watch = Live { follow: Follow::new(args.follow, grid), times: vec![], windows: 0 };
    tracing::info!("{} training windows; window {:?}, hop {:?}", fit.training.rows(), args.window, args.hop);
    let ended = tokio::select! {
        biased;
        () = stop.wait() => Err(Failure::Interrupted),
        ended = watch.run(&detector, args.points, &publisher) => ended,
    };
    watch.report();
    ended
}

struct Live {
    follow: Follow,
    /// How long the newest windows took.
    times: Vec<Duration>,
    windows: u64,
}

/// Windows whose times are held.
const HELD: usize = 10_000;

impl Live {
    async fn run(
        &mut self,
        detector: &Detector<'_>,
        point: bool,
        publisher: &Publisher,
    ) -> Result<(), Failure> {
        let mut complete = Vec::new();
        loop {
            self.follow.changed().await;
            tokio::time::sleep(TOGETHER).await;
            let mut more = true;
            while more {
                more = self.follow.read(|recorded| complete.push(recorded));
                for recorded in complete.drain(..) {
                    let detection =
                        detector.detect(&recorded.window, &Unwatched).map_err(|_| Failure::Interrupted)?;
                    self.note(detection.latency);
                    recorded.publish(&detection, point, publisher).await?;
                }
                tokio::task::yield_now().await;
            }
        }
    }

    fn note(&mut self, latency: Duration) {
        let place = self.windows as usize % HELD;
        match self.times.get_mut(place) {
            Some(time) => *time = latency,
            None => self.times.push(latency),
        }
        self.windows += 1;
    }

    fn report(&mut self) {
        self.times.sort_unstable();
        let at = |share: f64| {
            self.times.get((self.times.len() as f64 * share) as usize).copied().unwrap_or_default()
        };
        tracing::info!(
            "{} windows; to place and classify one: median {:?}, p99 {:?}",
            self.windows,
            at(0.5),
            at(0.99)
        );
    }
}
