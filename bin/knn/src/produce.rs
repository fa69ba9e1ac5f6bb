use std::{
    io::{self, ErrorKind, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context;
use command::{Failure, Stop};
use knn::{Cloud, FitId, Pace, ParamGuard, Pending, Performance, ProduceValidParams, Produced, Stage, Watch};
use publisher::Publisher;

use crate::{
    args::{FitArgs, FitOnlyArgs, ProduceArgs},
    outputs::Outputs,
    progress::Progress,
    summary::Summary,
    windows::Windows,
};

/// A fit to make: its parameters are checked, its outputs can be written.
struct Job {
    windows: Windows,
    params: ProduceValidParams,
    threads: usize,
    fit_out: Option<PathBuf>,
    model_out: Option<PathBuf>,
}

/// A fit that was made and written.
struct Made {
    produced: Produced,
    id: FitId,
    stages: Vec<(Stage, Duration)>,
}

/// How long a person waits for a broadcaster that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Points that go at once with --per-point.
const BURST: usize = 50;

pub(crate) async fn produce(args: ProduceArgs, stop: Stop) -> Result<(), Failure> {
    let pace = Pace::new(BURST, args.rate_hz).map_err(Failure::usage)?;
    let made = make(Job::check(args.fit, args.fit_out)?, stop.clone()).await?;
    // With --dry-run, standard output is for the events.
    if args.publish.dry_run {
        made.print(&mut io::stderr().lock())?;
    } else {
        made.print(&mut io::stdout().lock())?;
    }
    if args.no_publish {
        return Ok(());
    }
    let cloud = Cloud::new(&made.produced.points, &made.id, args.max_publish, made.produced.fit.seed)?;
    let performance = Performance::of(&made.produced.report.held_out, made.produced.report.latency)?;
    let publish = async {
        let publisher = Publisher::open_for("knn", &args.publish, PATIENCE)?;
        if args.per_point {
            cloud.publish_each(&publisher, pace).await?;
        } else {
            cloud.publish(&publisher, None).await?;
        }
        performance.publish(&publisher)?;
        publisher.flush().await?;
        tracing::info!("published {} points, the test F1 and the latency", cloud.rows());
        Ok(())
    };
    tokio::select! {
        biased;
        () = stop.wait() => Err(Failure::Interrupted),
        published = publish => published,
    }
}

pub(crate) async fn fit_only(args: FitOnlyArgs, stop: Stop) -> Result<(), Failure> {
    let made = make(Job::check(args.fit, Some(args.fit_out))?, stop).await?;
    Ok(made.print(&mut io::stdout().lock())?)
}

impl Made {
    fn print(&self, to: &mut impl Write) -> io::Result<()> {
        let summary = Summary { produced: &self.produced, id: &self.id, stages: &self.stages };
        match write!(to, "{summary}") {
            // The fit is made, whoever has read enough of this.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            printed => printed,
        }
    }
}

/// Makes the fit on threads of its own, so that this one hears Ctrl-C.
async fn make(job: Job, stop: Stop) -> Result<Made, Failure> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(job.threads).build()?;
    tokio::task::spawn_blocking(move || threads.install(|| job.run(stop))).await?
}

impl Job {
    fn check(args: FitArgs, fit_out: Option<PathBuf>) -> Result<Self, Failure> {
        let (windows, params, threads) = Windows::check(args.windows)?;
        let params = params.projector(args.projector).clusters(args.k_clusters);
        let params = params.check().map_err(Failure::usage)?;
        let mut outputs = Outputs::beside(windows.files());
        outputs.claim("--fit-out", fit_out.as_ref())?;
        outputs.claim("--model-out", args.model_out.as_ref())?;
        Ok(Self { windows, params, threads, fit_out, model_out: args.model_out })
    }

    fn run(&self, stop: Stop) -> Result<Made, Failure> {
        let progress = Progress::new(stop);
        let produced = self.learn(&progress)?;
        progress.begin(Stage::Write, 0);
        let points = produced.points.encode().context("points")?;
        let id = FitId::of(&points);
        let mut files = Vec::new();
        if let Some(path) = &self.fit_out {
            files.push(Pending::holding(path, &points)?);
        }
        if let Some(path) = &self.model_out {
            files.push(Pending::holding(path, &produced.fit.encode().context("fit")?)?);
        }
        Pending::keep_all(files)?;
        Ok(Made { produced, id, stages: progress.finish() })
    }

    fn learn(&self, progress: &Progress) -> Result<Produced, Failure> {
        let table = self.windows.read(progress)?;
        self.params.produce(table, progress).map_err(|error| self.windows.failure(error))
    }
}
