//! One measurement of the search in a process of its own, for `scripts/bench knn`.
//!
//! Tables are what that script makes: `NAME.rows.f32` and `NAME.queries.f32`, float32 in the order of the
//! machine, and `NAME.json` with the number of columns. Every answer is one line of JSON.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use knn::{
    Matrix, Recipe, Source, Split, Standardizer, Unwatched, Validation, WindowTable,
    neighbours::{self, Exhaustive, Instructions, Neighbour, Screen, Search},
    squared_distance,
};
use linfa_nn::{
    CommonNearestNeighbour, NearestNeighbour, NearestNeighbourIndex,
    distance::{Distance, L2Dist},
};
use ndarray::Array2;
use rayon::prelude::*;
use serde_json::json;

#[derive(Debug, Parser)]
enum Arguments {
    /// How long the search takes
    Measure {
        /// Folder and name of a table
        #[arg(long)]
        table: PathBuf,
        #[arg(long)]
        what: What,
        #[arg(long, default_value = "vitrine")]
        by: By,
        #[arg(long, default_value_t = 10)]
        k: usize,
    },
    /// Whether every kernel finds what comparing all rows finds
    Exact {
        #[arg(long)]
        table: PathBuf,
        #[arg(long, default_value_t = 2000)]
        queries: usize,
        #[arg(long, default_value_t = 10)]
        k: usize,
        /// Where the neighbours go: row (u32) and squared distance (float64), little-endian
        #[arg(long)]
        found: Option<PathBuf>,
    },
    /// The same for the training and test windows of every split recipe
    Recipes {
        #[arg(long)]
        window: PathBuf,
        #[arg(long)]
        schema: PathBuf,
        /// Names the sample of every episode
        #[arg(long)]
        validation: Option<PathBuf>,
        #[arg(long, default_value_t = 2000)]
        queries: usize,
        #[arg(long, default_value_t = 10)]
        k: usize,
    },
    /// cargo bench says so
    #[command(hide = true, name = "--bench")]
    Bench,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// All queries at once
    Batch,
    /// 64 queries at a time
    Small,
    /// One query at a time
    Single,
}

/// Who searches.
#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum By {
    Vitrine,
    /// Every row compared with every query
    Exhaustive,
    /// linfa-nn's
    KdTree,
    /// linfa-nn's
    BallTree,
}

fn main() -> anyhow::Result<()> {
    // `cargo bench` adds a flag of its own.
    match Arguments::parse_from(std::env::args().filter(|argument| argument != "--bench")) {
        Arguments::Measure { table, what, by, k } => {
            let (rows, queries) = read(&table)?;
            let tree = |tree: CommonNearestNeighbour| {
                let rows = points(&rows)?;
                measure(&queries, what, by, || {
                    let index = tree.from_batch(&rows, L2Dist)?;
                    Ok(move |queries: &Matrix| in_tree(&*index, queries, k))
                })
            };
            let own = |index: fn(&Matrix) -> Box<dyn Search + '_>| {
                measure(&queries, what, by, || {
                    let index = index(&rows);
                    Ok(move |queries: &Matrix| {
                        let found = index.nearest(queries, k, &Unwatched)?;
                        Ok(found.iter().map(|found| found[0].squared_distance).sum())
                    })
                })
            };
            match by {
                By::Vitrine => own(|rows| neighbours::index(rows)),
                By::Exhaustive => own(|rows| Box::new(Exhaustive::new(rows))),
                By::KdTree => tree(CommonNearestNeighbour::KdTree),
                By::BallTree => tree(CommonNearestNeighbour::BallTree),
            }
        }
        Arguments::Exact { table, queries, k, found } => {
            let (rows, all) = read(&table)?;
            let queries = all.select(&(0..queries.min(all.rows()) as u32).collect::<Vec<u32>>());
            let expected = compare_all(&rows, &queries, k);
            if let Some(path) = found {
                write(&path, &expected)?;
            }
            check(&rows, &queries, k, &expected, "shuffled")
        }
        Arguments::Recipes { window, schema, validation, queries, k } => {
            let validation = validation.map(|path| Validation::read(&path)).transpose()?;
            let validation = validation.as_ref();
            let source = Source { window: &window, schema: &schema, validation, max_rows: None };
            let table = WindowTable::read(&source, &Unwatched)?;
            for name in Recipe::NAMES {
                recipe(&table, name.parse()?, queries, k)?;
            }
            Ok(())
        }
        Arguments::Bench => Ok(()),
    }
}

/// Times a search, which tells the sum of the nearest distances, so that it cannot be left out.
fn measure<S: Fn(&Matrix) -> anyhow::Result<f64>>(
    queries: &Matrix,
    what: What,
    by: By,
    build: impl FnOnce() -> anyhow::Result<S>,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let search = build()?;
    let build_s = start.elapsed().as_secs_f64();
    let mut sink = 0.0;
    let mut time = |queries: &Matrix| {
        let start = Instant::now();
        sink += search(queries)?;
        anyhow::Ok(start.elapsed().as_secs_f64())
    };
    let (each, times, warm) = match what {
        What::Batch => (queries.rows(), 1, 0),
        What::Small => (64, 40, 3),
        What::Single => (1, 200, 10),
    };
    // Threads are awake then.
    time(&queries.select(&(0..queries.rows().min(64) as u32).collect::<Vec<u32>>()))?;
    let mut taken = Vec::with_capacity(times);
    for turn in 0..warm + times {
        let numbers = (turn * each..(turn + 1) * each).map(|number| (number % queries.rows()) as u32);
        let seconds = time(&queries.select(&numbers.collect::<Vec<u32>>()))?;
        if turn >= warm {
            taken.push(seconds);
        }
    }
    taken.sort_unstable_by(f64::total_cmp);
    let median = taken[taken.len() / 2];
    let seconds = if matches!(what, What::Small) { median / each as f64 } else { median };
    ensure!(sink.is_finite(), "distances are finite");
    let what = format!("{what:?}").to_lowercase();
    let library = by.to_possible_value().map(|value| value.get_name().to_owned());
    let (version, peak_mb) = (env!("CARGO_PKG_VERSION"), peak_mb()?);
    say(
        &json!({ "library": library, "version": version, "what": what, "build_s": build_s, "seconds": seconds, "peak_mb": peak_mb }),
    )
}

/// Rows as linfa-nn takes them.
fn points(rows: &Matrix) -> anyhow::Result<Array2<f64>> {
    let values = (0..rows.rows()).flat_map(|row| rows.row(row)).map(|&value| f64::from(value));
    Ok(Array2::from_shape_vec((rows.rows(), rows.columns()), values.collect())?)
}

/// Looks queries up in a tree, on all threads.
fn in_tree(
    tree: &(dyn NearestNeighbourIndex<f64> + Sync),
    queries: &Matrix,
    k: usize,
) -> anyhow::Result<f64> {
    let queries = points(queries)?;
    let nearest = |query: usize| {
        let query = queries.row(query);
        let found = tree.k_nearest(query, k)?;
        Ok(L2Dist.distance(query, found[0].0.view()))
    };
    (0..queries.nrows()).into_par_iter().map(nearest).sum()
}

fn recipe(table: &WindowTable, recipe: Recipe, queries: usize, k: usize) -> anyhow::Result<()> {
    let hosts = match (&table.busiest_host, recipe) {
        (Some(busiest), Recipe::Host) => vec![busiest.host.clone()],
        _ => Vec::new(),
    };
    let split = Split::new(recipe, &hosts, &table.origin, table.samples.as_ref(), 0)
        .with_context(|| format!("--split-recipe {recipe}"))?;
    let learned = split.learned();
    let standardizer = Standardizer::fit(&table.features, &learned, &Unwatched)?;
    let z = standardizer.transform(table.features.clone(), &Unwatched)?;
    let step = split.test.len().div_ceil(queries).max(1);
    let asked: Vec<u32> = split.test.iter().copied().step_by(step).collect();
    let (rows, queries) = (z.select(&learned), z.select(&asked));
    check(&rows, &queries, k, &compare_all(&rows, &queries, k), &recipe.to_string())
}

/// Looks for the queries with every kernel that this machine has.
fn check(
    rows: &Matrix,
    queries: &Matrix,
    k: usize,
    expected: &[Vec<Neighbour>],
    split: &str,
) -> anyhow::Result<()> {
    let mut wrong = 0;
    for instructions in Instructions::ALL.into_iter().filter(|instructions| instructions.available()) {
        let screen = Screen::new(rows, instructions);
        let together = screen.nearest(queries, k, &Unwatched)?;
        let mut mismatches =
            together.iter().zip(expected).filter(|(found, expected)| found != expected).count();
        // Some of them alone as well, which takes another way through the index.
        for (number, expected) in expected.iter().enumerate().step_by(10) {
            let alone = screen.nearest(&queries.select(&[number as u32]), k, &Unwatched)?;
            mismatches += usize::from(alone.iter().next() != Some(&expected[..]));
        }
        wrong += mismatches;
        let kernel = instructions.to_string();
        say(
            &json!({ "group": "exact", "kernel": kernel, "split": split, "rows": rows.rows(), "queries": queries.rows(), "mismatches": mismatches }),
        )?;
    }
    ensure!(wrong == 0, "{wrong} queries found other neighbours than comparing all rows");
    Ok(())
}

/// Every distance by its definition, and the smallest by (distance, row).
fn compare_all(rows: &Matrix, queries: &Matrix, k: usize) -> Vec<Vec<Neighbour>> {
    let nearest = |query: usize| {
        let query = queries.row(query);
        let mut all: Vec<Neighbour> = (0..rows.rows() as u32)
            .map(|row| Neighbour { squared_distance: squared_distance(query, rows.row(row as usize)), row })
            .collect();
        let order = |a: &Neighbour, b: &Neighbour| {
            a.squared_distance.total_cmp(&b.squared_distance).then(a.row.cmp(&b.row))
        };
        if k < all.len() {
            all.select_nth_unstable_by(k, order);
            all.truncate(k);
        }
        all.sort_unstable_by(order);
        all
    };
    (0..queries.rows()).into_par_iter().map(nearest).collect()
}

fn write(path: &Path, found: &[Vec<Neighbour>]) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path).with_context(|| path.display().to_string())?);
    for neighbour in found.iter().flatten() {
        file.write_all(&neighbour.row.to_le_bytes())?;
        file.write_all(&neighbour.squared_distance.to_le_bytes())?;
    }
    Ok(file.flush()?)
}

/// One line of JSON.
fn say(line: &serde_json::Value) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}

/// Rows and queries.
fn read(table: &Path) -> anyhow::Result<(Matrix, Matrix)> {
    let file = |ending: &str| {
        let mut name = table.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let about = std::fs::read(file(".json")).with_context(|| file(".json").display().to_string())?;
    let about: serde_json::Value = serde_json::from_slice(&about)?;
    let columns = about["columns"].as_u64().context("`columns` is a number")? as usize;
    let matrix = |ending| {
        let bytes = std::fs::read(file(ending)).with_context(|| file(ending).display().to_string())?;
        let values = bytes.as_chunks().0;
        ensure!(values.len().is_multiple_of(columns), "{}: rows that are not whole", file(ending).display());
        let mut matrix = Matrix::zeros(values.len() / columns, columns);
        for (value, bytes) in matrix.values_mut().iter_mut().zip(values) {
            *value = f32::from_ne_bytes(*bytes);
        }
        anyhow::Ok(matrix)
    };
    Ok((matrix(".rows.f32")?, matrix(".queries.f32")?))
}

/// The most memory that this process had, in 10^6 bytes.
fn peak_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}
