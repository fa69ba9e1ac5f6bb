use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow};
use command::{Failure, Stop};
use knn::{
    Cloud, FitId, Pace, ParamGuard, Pending, Performance, ProduceError, ProduceParams, ProduceValidParams,
    Produced, Recipe, Source, SplitError, Stage, TableError, Validation, Watch, WindowTable,
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
        if args.split_recipe == Recipe::Sample && args.validation.is_none() {
            return Err(Failure::usage(SplitError::NoSamples));
        }
        let inputs = [Some(&args.window), Some(&args.schema), args.validation.as_ref()];
        let mut taken: Vec<(PathBuf, &str)> = Vec::new();
        for input in inputs.into_iter().flatten() {
            // Where it lies and, behind a link, what it is.
            let places = [place(input), fs::canonicalize(input)];
            taken.extend(places.into_iter().flatten().map(|place| (place, "is an input")));
        }
        for (flag, path) in [("--fit-out", &fit_out), ("--model-out", &args.model_out)] {
            if let Some(path) = path {
                let place = check_output(flag, path, &taken)?;
                taken.push((place, "is the file of --fit-out too"));
            }
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
        self.params.produce(table, progress).map_err(|error| self.failure(error))
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

/// Says before an hour of work, not after it, that its result has nowhere to go. Gives the place that it
/// goes to, none of those taken.
fn check_output(flag: &str, path: &Path, taken: &[(PathBuf, &str)]) -> Result<PathBuf, Failure> {
    let refused = |why: &str| Err(Failure::usage(format!("{flag} {}: {why}", path.display())));
    if path.is_dir() {
        return refused("is a folder, expected a file");
    }
    let Ok(place) = place(path) else { return refused("the folder does not exist") };
    match taken.iter().find(|(taken, _)| *taken == place) {
        Some((_, why)) => refused(why),
        None => Ok(place),
    }
}

/// Where a file of this path is or would be, however the path is spelt.
fn place(path: &Path) -> io::Result<PathBuf> {
    // With a dot behind it, also no name at all is a folder, and a file is none.
    let folder = path.parent().unwrap_or(Path::new("")).join(".");
    Ok(fs::canonicalize(folder)?.join(path.file_name().unwrap_or_default()))
}
