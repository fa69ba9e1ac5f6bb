//! A whole fit file of any parts is refused, or is read as it was written and can be used.

#![no_main]

use std::path::Path;

use arbitrary::{Arbitrary, Unstructured};
use episodes::Phase;
use knn::{Axes, Clusters, Fit, Map, Matrix, Projection, Recipe, Standardizer, Umap, Unwatched};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Parts {
    features: u8,
    medians: Vec<f64>,
    means: Vec<f64>,
    deviations: Vec<f64>,
    kept: u16,
    wild_kept: Option<Vec<u32>>,
    ranges: [(f64, f64); 3],
    map: MapParts,
    centroids: Vec<f32>,
    inertia: f64,
    training: Vec<f32>,
    phases: Vec<u8>,
    neighbours: u16,
    seed: u64,
    recipe: u8,
    train_hosts: Vec<String>,
    window: Vec<f32>,
}

#[derive(Debug, Arbitrary)]
enum MapParts {
    Pca(AxesParts),
    Lda(AxesParts),
    Umap { windows: Vec<f32>, layout: Vec<[f32; 3]> },
}

#[derive(Debug, Arbitrary)]
struct AxesParts {
    center: Vec<f64>,
    axes: Vec<Vec<f64>>,
    captured: Vec<f64>,
}

impl AxesParts {
    fn fit(self, columns: usize) -> Axes {
        Axes {
            center: filled(self.center, columns),
            axes: self.axes.into_iter().map(|axis| filled(axis, columns)).collect(),
            captured: self.captured,
        }
    }
}

/// Most often as long as it should be, so that what follows is reached.
fn filled<T: Default + Clone>(mut values: Vec<T>, len: usize) -> Vec<T> {
    if values.len() % 8 != 7 {
        values.resize(len, T::default());
    }
    values
}

/// As many whole rows as there are values for, at least one.
fn matrix(mut values: Vec<f32>, columns: usize) -> Matrix {
    let columns = columns.max(1);
    values.resize(values.len().next_multiple_of(columns).max(columns), 0.0);
    Matrix::new(values, columns).expect("whole rows")
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(parts) = Parts::arbitrary(&mut Unstructured::new(bytes)) else { return };
    let features = usize::from(parts.features % 14);
    let some = (0..features as u32).filter(|column| parts.kept >> column & 1 == 1).collect();
    let kept_columns = parts.wild_kept.unwrap_or(some);
    let kept = kept_columns.len();
    let training = matrix(parts.training, kept);
    let map = match parts.map {
        MapParts::Pca(axes) => Map::Pca(axes.fit(kept)),
        MapParts::Lda(axes) => Map::Lda(axes.fit(kept)),
        MapParts::Umap { windows, layout } => {
            let windows = matrix(windows, kept);
            Map::Umap(Umap { layout: filled(layout, windows.rows()), windows })
        }
    };
    let codes = filled(parts.phases, training.rows());
    let phases = codes.iter().filter_map(|code| Phase::from_code((code % 6).into())).collect();
    let recipes = [Recipe::Host, Recipe::Random, Recipe::Sample, Recipe::Time];
    let fit = Fit {
        feature_names: (0..features).map(|feature| feature.to_string()).collect(),
        standardizer: Standardizer {
            medians: filled(parts.medians, features),
            means: filled(parts.means, features),
            deviations: filled(parts.deviations, features),
            kept: kept_columns,
        },
        projection: Projection { map, ranges: parts.ranges },
        clusters: Clusters { centroids: matrix(parts.centroids, kept), inertia: parts.inertia },
        training,
        phases,
        neighbours: usize::from(parts.neighbours % 1_024),
        seed: parts.seed,
        recipe: recipes[usize::from(parts.recipe % 4)],
        train_hosts: parts.train_hosts,
    };
    let encoded = fit.encode().expect("any parts can be written");
    let Ok(read) = Fit::decode(Path::new("fuzz.fit"), &encoded) else { return };
    assert_eq!(read.encode().expect("it was read"), encoded);

    let mut window = filled(parts.window, features);
    window.iter_mut().filter(|value| value.is_infinite()).for_each(|value| *value = f32::NAN);
    let Ok(window) = Matrix::new(window, features) else { return };
    let z = read.standardizer.transform(window, &Unwatched).expect("nobody stops it");
    assert!(z.values().iter().all(|value| value.is_finite()));
    let places = read.projection.place(&z, &Unwatched).expect("nobody stops it");
    assert!(places.as_flattened().iter().all(|place| (0.0..=1.0).contains(place)));
    read.clusters.assign(&z, &Unwatched).expect("nobody stops it");
    read.classifier().classify(&z, &Unwatched).expect("nobody stops it");
});
