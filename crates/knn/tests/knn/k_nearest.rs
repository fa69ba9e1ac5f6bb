//! The classifier as a user of linfa meets it.

use knn::{KNearest, KNearestError};
use linfa::{
    Dataset, DatasetBase,
    traits::{Fit, Predict},
};
use ndarray::{Array2, array};

#[test]
fn labels_of_any_kind_are_learned_and_told() {
    let records = array![[0.0_f32, 0.0], [0.0, 1.0], [9.0, 9.0], [9.0, 8.0]];
    let dataset = Dataset::new(records.clone(), array!["calm", "calm", "busy", "busy"]);
    let model = KNearest::params(2).fit(&dataset).unwrap();
    assert_eq!(model.predict(&array![[0.0_f32, 0.4], [8.0, 8.0]]), array!["calm", "busy"]);
    assert_eq!(model.predict(&records), array!["calm", "calm", "busy", "busy"]);
}

#[test]
fn a_sample_at_distance_zero_outvotes_all_others() {
    let dataset = Dataset::new(array![[0.0_f32], [0.1], [0.2]], array![7_usize, 3, 3]);
    let model = KNearest::params(3).fit(&dataset).unwrap();
    assert_eq!(model.predict(&array![[0.0_f32]]), array![7]);
    assert_eq!(model.predict(&array![[0.15_f32]]), array![3]);
}

#[test]
fn what_cannot_be_fitted_is_refused_with_the_place() {
    let fit = |neighbours: usize, records: Array2<f32>| {
        let targets = ndarray::Array1::<usize>::zeros(records.nrows());
        KNearest::params(neighbours).fit(&DatasetBase::new(records, targets)).map(|_| ()).unwrap_err()
    };
    assert!(matches!(fit(0, array![[1.0]]), KNearestError::NoNeighbours));
    assert!(matches!(fit(1, Array2::zeros((0, 3))), KNearestError::Empty { samples: 0, features: 3 }));
    let error = fit(1, array![[1.0, 2.0], [3.0, f32::NAN]]);
    assert_eq!(error.to_string(), "sample 1, feature 1: expected a finite number, found NaN");
}
