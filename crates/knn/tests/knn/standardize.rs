use knn::{Matrix, StandardizeError, Standardizer, Unwatched};

fn fit(values: &[f32], columns: usize) -> Result<Standardizer, StandardizeError> {
    let windows = Matrix::new(values.to_vec(), columns).unwrap();
    let rows: Vec<u32> = (0..windows.rows() as u32).collect();
    Standardizer::fit(&windows, &rows, &Unwatched)
}

#[test]
fn a_column_that_is_all_nan_becomes_zero_and_is_dropped() {
    let fit = fit(&[f32::NAN, 1.0, f32::NAN, 3.0], 2).unwrap();
    assert_eq!((fit.medians[0], fit.means[0], fit.deviations[0]), (0.0, 0.0, 0.0));
    assert_eq!(fit.kept, [1]);
}

#[test]
fn a_missing_value_is_the_median_of_the_training_rows() {
    let windows = Matrix::new(vec![1.0, 2.0, 9.0, f32::NAN, 1000.0], 1).unwrap();
    let fit = Standardizer::fit(&windows, &[0, 1, 2, 3], &Unwatched).unwrap();
    assert_eq!(fit.medians, [2.0]);
    assert_eq!(fit.means, [3.5]);
    let z = fit.transform(windows, &Unwatched).unwrap();
    assert_eq!(z.values()[3], ((2.0 - 3.5) / fit.deviations[0]) as f32);
}

#[test]
fn a_large_constant_does_not_vary() {
    // Summed plainly, the mean of these is off by a rounding that alone exceeds 1e-6.
    let fit = fit(&[[1e12, 0.0].repeat(700), vec![1e12, 1.0]].concat(), 2).unwrap();
    assert_eq!(fit.deviations[0], 0.0);
    assert_eq!(fit.kept, [1]);
}

#[test]
fn without_a_column_that_varies_there_is_nothing_to_fit() {
    let error = fit(&[1.0, 5.0, 1.0, 5.0], 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "none of the 2 feature columns varies over the 2 training rows (standard deviation above 1e-6)"
    );
}
