use std::{
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow};
use command::{Failure, Stop};
use knn::{
    Cloud, FitId, Pace, ParamGuard, Pending, Performance, ProduceError, ProduceParams, ProduceValidParams,
    Produced, Source, Stage, TableError, Validation, WindowTable,
};
use publisher::Publisher;

use crate::{
    args::{FitArgs, FitOnlyArgs, ProduceArgs},
    progress::Progress,
    summary::Summary,
};

/// A fit to make: its parameters are checked, its outputs can be written.
struct Job {
    window: PathBuf,
    schema: PathBuf,
    validation: Option<PathBuf>,
    max_rows: Option<usize>,
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
        made.print(&mut std::io::stderr().lock())?;
    } else {
        made.print(&mut std::io::stdout().lock())?;
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
    Ok(made.print(&mut std::io::stdout().lock())?)
}

impl Made {
    fn print(&self, to: &mut impl Write) -> std::io::Result<()> {
        let summary = Summary { produced: &self.produced, id: &self.id, stages: &self.stages };
        write!(to, "{summary}")
    }
}

/// Makes the fit on threads of its own, so that this one hears Ctrl-C.
async fn make(job: Job, stop: Stop) -> Result<Made, Failure> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(job.threads).build()?;
    tokio::task::spawn_blocking(move || threads.install(|| job.run(stop))).await?
}

impl Job {
    fn check(args: FitArgs, fit_out: Option<PathBuf>) -> Result<Self, Failure> {
        let params = ProduceParams::default()
            .projector(args.projector)
            .clusters(args.k_clusters)
            .neighbours(args.k_neighbors)
            .recipe(args.split_recipe)
            .train_hosts(args.train_hosts)
            .seed(args.seed);
        let params = params.check().map_err(Failure::usage)?;
        let inputs = [Some(&args.window), Some(&args.schema), args.validation.as_ref()];
        let outputs = [("--fit-out", &fit_out), ("--model-out", &args.model_out)];
        for (flag, path) in outputs {
            if let Some(path) = path {
                check_output(flag, path, inputs.into_iter().flatten())?;
            }
        }
        if fit_out.is_some() && fit_out == args.model_out {
            return Err(Failure::usage("--fit-out and --model-out are the same file"));
        }
        Ok(Self {
            window: args.window,
            schema: args.schema,
            validation: args.validation,
            max_rows: args.max_rows.map(Into::into),
            params,
            threads: args.threads.map_or(0, Into::into),
            fit_out,
            model_out: args.model_out,
        })
    }

    fn run(&self, stop: Stop) -> Result<Made, Failure> {
        let progress = Progress::new(stop);
        let produced = self.learn(&progress)?;
        let points = produced.points.encode().context("points")?;
        let id = FitId::of(&points);
        // Both are on disk before either has its name.
        let points = self.fit_out.as_deref().map(|path| Pending::write(path, &points)).transpose()?;
        let fit = match &self.model_out {
            Some(path) => Some(Pending::write(path, &produced.fit.encode().context("fit")?)?),
            None => None,
        };
        for file in [points, fit].into_iter().flatten() {
            file.keep()?;
        }
        Ok(Made { produced, id, stages: progress.finish() })
    }

    fn learn(&self, progress: &Progress) -> Result<Produced, Failure> {
        let validation = self.validation.as_deref().map(Validation::read).transpose()?;
        let source = Source {
            window: &self.window,
            schema: &self.schema,
            validation: validation.as_ref(),
            max_rows: self.max_rows,
        };
        let table = WindowTable::read(&source, progress).map_err(|error| match error {
            TableError::Stopped(_) => Failure::Interrupted,
            error => error.into(),
        })?;
        self.params.produce(table, validation.as_ref(), progress).map_err(|error| self.failure(error))
    }

    /// Names the table that a fit could not be made of.
    fn failure(&self, error: ProduceError) -> Failure {
        if error.is_stop() {
            Failure::Interrupted
        } else {
            anyhow!(error).context(self.window.display().to_string()).into()
        }
    }
}

/// Says before an hour of work, not after it, that its result has nowhere to go.
fn check_output<'a>(
    flag: &str,
    path: &Path,
    inputs: impl Iterator<Item = &'a PathBuf>,
) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if path.is_dir() {
        return Err(Failure::usage(format!("{flag} {}: is a folder, expected a file", path.display())));
    }
    if !folder.is_dir() {
        return Err(Failure::usage(format!("{flag} {}: the folder does not exist", path.display())));
    }
    if inputs.into_iter().any(|input| input == path) {
        return Err(Failure::usage(format!("{flag} {}: is an input", path.display())));
    }
    Ok(())
}
