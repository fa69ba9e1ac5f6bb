//! Appends runs to the embedded store and asks for them; prints JSON lines.
//!
//! `store append FOLDER RUNS METRICS POINTS` makes the folder, and leaves it; `store ask` with the same arguments asks; `store long FOLDER POINTS` appends
//! one series more, and asks for it; `store points RUN METRICS POINTS` says what is appended, for others.

#![expect(clippy::disallowed_macros, reason = "it is a command")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use events::{MetricPoints, Name, Real};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use runs::{Embedded, Limits, Metrics, Query, Store};
use serde_json::json;

/// Steps that a trainer sends at once, of all its metrics.
const STEPS: usize = 10;
/// Trainers at once.
const TRAINERS: usize = 4;

/// A run's points: of every metric a value a step, all at the same times.
struct Run {
    id: String,
    times: Vec<f64>,
    values: Vec<Vec<f64>>,
}

/// What trainers measure: a fifth each noisy losses in single precision, schedules, times and rates with every digit, counters of the
/// system, and temperatures with one decimal.
fn run(number: usize, metrics: usize, points: usize) -> Run {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(number as u64);
    let mut normal = || (0..6).map(|_| random.gen_range(-1.0..1.0)).sum::<f64>() / 2_f64.sqrt();
    let took: Vec<f64> = (0..points).map(|_| 0.5 + 0.02 * normal().abs()).collect();
    let mut now = 1_772_000_000.0 + 60.0 * number as f64;
    let times = took.iter().map(|took| {
        now += took;
        now
    });
    let times = times.collect();
    let series = |metric: usize| {
        let mut drift = 0.0;
        let value = |step: usize| {
            let at = step as f64;
            match metric % 5 {
                0 => f64::from(((2.0 + 3.0 * (-at / 4e3).exp()) * (1.0 + 0.02 * normal())) as f32),
                1 => 1.5e-4 * (1.0 + (std::f64::consts::PI * at / points as f64).cos()),
                2 => 65_536.0 / took[step],
                3 => (90.0 + 5.0 * normal()).round(),
                _ => {
                    drift += 0.3 * normal();
                    (600.0 + 10.0 * drift).round() / 10.0
                }
            }
        };
        (0..points).map(value).collect()
    };
    Run { id: format!("run-{number:03}"), times, values: (0..metrics).map(series).collect() }
}

fn batch<'a>(run: &'a Run, names: &'a [String], steps: std::ops::Range<usize>) -> Vec<MetricPoints<'a>> {
    let real = |number| Real::new(number).unwrap();
    let of = |(name, values): (&'a String, &Vec<f64>)| {
        let point = |step: usize| events::Point(10 * step as u64, real(values[step]), real(run.times[step]));
        MetricPoints {
            run_id: Name::new(&*run.id).unwrap(),
            metric: Name::new(&**name).unwrap(),
            points: steps.clone().map(point).collect(),
            host: None,
            rank: None,
            device: None,
            unit: None,
        }
    };
    names.iter().zip(&run.values).map(of).collect()
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |place: usize| arguments[place].parse::<usize>().expect("a number");
    let folder = || Path::new(&arguments[1]);
    match arguments[0].as_str() {
        "append" => append(folder(), number(2), number(3), number(4)).await,
        "ask" => ask(folder(), number(2), number(3), number(4)).await,
        "long" => long(folder(), number(2)).await,
        "points" => points(&run(number(1), number(2), number(3))).expect("somebody to write to"),
        other => panic!("unknown: {other}"),
    }
}

/// Writes the numbers of a run to standard output, little-endian: times, then the values of each metric.
fn points(run: &Run) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for number in std::iter::once(&run.times).chain(&run.values).flatten() {
        out.write_all(&number.to_le_bytes())?;
    }
    out.flush()
}

async fn append(folder: &Path, runs: usize, metrics: usize, points: usize) {
    let store = Arc::new(Embedded::open(folder, Limits::default()).unwrap());
    let names: Arc<Vec<String>> =
        Arc::new((0..metrics).map(|number| format!("metric/{number:02}")).collect());
    let mut took = 0.0;
    for first in (0..runs).step_by(TRAINERS) {
        let together: Vec<Run> =
            (first..runs.min(first + TRAINERS)).map(|n| run(n, metrics, points)).collect();
        let start = Instant::now();
        let trainers = together.into_iter().map(|run| {
            let (store, names) = (store.clone(), names.clone());
            tokio::spawn(async move {
                for step in (0..points).step_by(STEPS) {
                    let batch = batch(&run, &names, step..points.min(step + STEPS));
                    store.append(&batch.iter().collect::<Vec<_>>()).await.unwrap();
                }
            })
        });
        for trainer in trainers.collect::<Vec<_>>() {
            trainer.await.unwrap();
        }
        took += start.elapsed().as_secs_f64();
    }
    drop(store);
    let size: u64 =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    let all = (runs * metrics * points) as f64;
    println!(
        "{}",
        json!({ "what": "append", "points": all, "points_per_s": all / took, "bytes_per_point": size as f64 / all })
    );
}

async fn ask(folder: &Path, runs: usize, metrics: usize, points: usize) {
    let start = Instant::now();
    let store = Embedded::open(folder, Limits::default()).unwrap();
    let known = store.runs().await.unwrap().len();
    println!("{}", json!({ "what": "restart", "runs": known, "ms": 1e3 * start.elapsed().as_secs_f64() }));
    assert_eq!(known, runs);
    let mut ms = Vec::new();
    for number in 0..runs.min(50) {
        let (run, metric) = (format!("run-{number:03}"), format!("metric/{:02}", number % metrics));
        ms.push(view(&store, run, metric, 500.min(points)).await);
    }
    say_view("view", points, ms);
}

/// One series more, of so many points, and views of all of it and of tenths of it.
async fn long(folder: &Path, points: usize) {
    let store = Embedded::open(folder, Limits::default()).unwrap();
    let run = run(1_000_000, 1, points);
    for first in (0..points).step_by(10_000) {
        let names = ["metric/00".to_owned()];
        let batch = batch(&run, &names, first..points.min(first + 10_000));
        store.append(&batch.iter().collect::<Vec<_>>()).await.unwrap();
    }
    drop(store);
    let store = Embedded::open(folder, Limits::default()).unwrap();
    let mut ms = Vec::new();
    for _ in 0..20 {
        ms.push(view(&store, run.id.clone(), "metric/00".to_owned(), 500.min(points)).await);
    }
    say_view("long view", points, ms);
    let mut ms = Vec::new();
    for tenth in 0..10 {
        let first = (points / 10 * tenth * 10) as u64;
        let steps = first..=first + points as u64;
        let metrics = Metrics::Named("metric/00".to_owned());
        let start = Instant::now();
        store.history(Query { metrics, steps, ..Query::all(run.id.clone(), 2_000) }).await.unwrap();
        ms.push(1e3 * start.elapsed().as_secs_f64());
    }
    say_view("zoomed view", points / 10, ms);
}

/// How long it takes to get a series in 2,000 points, in milliseconds.
async fn view(store: &Embedded, run: String, metric: String, least: usize) -> f64 {
    let query = Query { metrics: Metrics::Named(metric.clone()), ..Query::all(run, 2_000) };
    let start = Instant::now();
    let history = store.history(query).await.unwrap().unwrap();
    let took = 1e3 * start.elapsed().as_secs_f64();
    assert!(history[&metric].len() >= least);
    took
}

fn say_view(what: &str, points: usize, mut ms: Vec<f64>) {
    ms.sort_by(f64::total_cmp);
    let (median, slowest) = (ms[ms.len() / 2], ms[ms.len() - 1]);
    println!("{}", json!({ "what": what, "points": points, "median_ms": median, "slowest_ms": slowest }));
}
