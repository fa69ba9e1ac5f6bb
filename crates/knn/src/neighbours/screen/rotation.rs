use std::{f64::consts::TAU, ops::Range};

use faer::{Accum, Mat, MatMut, MatRef, Par, linalg::matmul::matmul};

use super::super::kernel::{Kernel, STRETCH};
use crate::{eigen::Eigen, matrix::Matrix, sample::evenly, scatter::Rows, watch::Unwatched};

/// Rows that the axes are found on, at most.
const SAMPLE: usize = 20_000;
/// Leading coordinates that say where a row lies.
pub(super) const LEADING: usize = 8;
/// Fewer rows are rotated one by one.
const MANY: usize = 8;
/// Half a unit in the last place of float64.
const UNIT: f64 = f64::EPSILON / 2.0;

/// The principal axes of a sample of the rows, largest variance first.
pub(super) struct Principal {
    center: Vec<f32>,
    /// One axis a column.
    axes: Mat<f64>,
}

impl Principal {
    pub(super) fn of(rows: &Matrix) -> Self {
        let columns = rows.columns();
        let numbers = evenly(rows.rows(), SAMPLE);
        let sample = Rows { matrix: rows, numbers: &numbers, class_of: &vec![0; numbers.len()], classes: 1 };
        let axes = sample.means(&Unwatched).and_then(|means| {
            let scatter = sample.scatter(&means, &Unwatched)?;
            Ok((means.means, Eigen::of(&scatter)))
        });
        match axes {
            Ok((means, Ok(eigen))) => Self {
                center: means[0].iter().map(|&mean| mean as f32).collect(),
                axes: eigen.into_vectors(),
            },
            // Without a decomposition the coordinates stay as they are.
            _ => Self { center: vec![0.0; columns], axes: Mat::identity(columns, columns) },
        }
    }
}

/// A linear map that all but keeps distances and gathers them in the leading blocks of coordinates.
///
/// A block holds as many of the principal axes as it has coordinates, mixed so that each coordinate
/// has its share of each: all of them then reach about as far, and one step is right for all. Beside
/// them come the [`LEADING`] principal coordinates as they are.
///
/// The screen stays exact whatever map this is; the better its axes, the sooner a row is ruled out.
pub(super) struct Rotation {
    center: Vec<f32>,
    /// One output a column: the coordinates, then the leading ones. Entries are rounded to float32.
    axes: Mat<f64>,
    /// The same, one input after the other.
    inputs: Vec<[f32; STRETCH]>,
    /// What each input adds to the leading coordinates.
    leading: Vec<[f32; LEADING]>,
    /// At least the spectral norm of either map, a little above 1: no distance grows by more.
    stretch: f64,
    /// At least the rounding of a rotated row, and of what is measured on it, divided by the norm of the
    /// row.
    rounding: f64,
}

impl Rotation {
    /// The principal coordinates themselves.
    pub(super) fn plain(principal: &Principal) -> Self {
        let blocks: Vec<Range<usize>> = (0..principal.center.len()).map(|axis| axis..axis + 1).collect();
        Self::mixed(principal, &blocks)
    }

    /// The axes of every block, from the first axis on, mixed by a discrete Hartley transform, which is
    /// orthogonal and of whose squared entries none exceeds twice the mean.
    pub(super) fn mixed(principal: &Principal, blocks: &[Range<usize>]) -> Self {
        let inputs = principal.center.len();
        let outputs = blocks.last().map_or(0, |block| block.end);
        let mut mixed = Mat::zeros(inputs, outputs);
        for block in blocks {
            let len = block.len();
            let mixer = Mat::from_fn(len, len, |i, j| {
                let angle = TAU * (i * j % len) as f64 / len as f64;
                (angle.cos() + angle.sin()) / (len as f64).sqrt()
            });
            matmul(
                mixed.subcols_mut(block.start, len),
                Accum::Replace,
                principal.axes.subcols(block.start, len),
                &mixer,
                1.0,
                Par::Seq,
            );
        }
        let near = |entry: f64| f64::from(entry as f32);
        let mixed = Mat::from_fn(inputs, outputs, |input, output| near(mixed[(input, output)]));
        let first =
            Mat::from_fn(inputs, LEADING.min(inputs), |input, output| near(principal.axes[(input, output)]));
        let (stretch, frobenius) = norms(mixed.as_ref());
        let (first_stretch, first_frobenius) = norms(first.as_ref());
        // A float64 sum of `inputs` products of a difference: gamma of `inputs + 2`, whatever the order of
        // the additions. Another dozen covers what a coordinate goes through after that.
        let steps = (inputs + 14) as f64 * UNIT;
        let entry = |input, output: usize| if output < inputs { first[(input, output)] } else { 0.0 };
        let leading =
            (0..inputs).map(|input| std::array::from_fn(|output| entry(input, output) as f32)).collect();
        let axes = Mat::from_fn(inputs, outputs + LEADING, |input, output| {
            if output < outputs { mixed[(input, output)] } else { entry(input, output - outputs) }
        });
        let stretches = (outputs + LEADING).div_ceil(STRETCH);
        let by_input = (0..inputs * stretches)
            .map(|i| {
                let (input, start) = (i / stretches, i % stretches * STRETCH);
                std::array::from_fn(|i| {
                    if start + i < axes.ncols() { axes[(input, start + i)] as f32 } else { 0.0 }
                })
            })
            .collect();
        Self {
            center: principal.center.clone(),
            inputs: by_input,
            axes,
            leading,
            stretch: stretch.max(first_stretch),
            rounding: steps / (1.0 - steps) * frobenius.max(first_frobenius),
        }
    }

    /// At least the factor by which a distance can grow.
    pub(super) fn stretch(&self) -> f64 {
        self.stretch
    }

    /// Rotates some rows.
    pub(super) fn rotate<'r>(
        &self,
        kernel: Kernel,
        rows: impl ExactSizeIterator<Item = &'r [f32]>,
    ) -> Rotated {
        let (count, columns, outputs) = (rows.len(), self.center.len(), self.axes.ncols());
        let mut centered = Vec::with_capacity(count * columns);
        let mut roundings = Vec::with_capacity(count);
        for row in rows {
            centered.extend(
                row.iter().zip(&self.center).map(|(&value, &center)| f64::from(value) - f64::from(center)),
            );
            let square = kernel.squared_distance(row, &self.center);
            // Twice covers the rounding of this norm.
            roundings.push(2.0 * self.rounding * square.sqrt());
        }
        let mut values = vec![0.0; count * outputs];
        if count < MANY {
            let mut products = vec![[0.0; STRETCH]; outputs.div_ceil(STRETCH)];
            for (row, values) in centered.chunks_exact(columns).zip(values.chunks_exact_mut(outputs)) {
                kernel.products(row, &self.inputs, &mut products);
                values.copy_from_slice(&products.as_flattened()[..outputs]);
            }
        } else {
            matmul(
                MatMut::from_row_major_slice_mut(&mut values, count, outputs),
                Accum::Replace,
                MatRef::from_row_major_slice(&centered, count, columns),
                self.axes.as_ref(),
                1.0,
                Par::Seq,
            );
        }
        Rotated { values, coordinates: outputs - LEADING, roundings }
    }

    /// The leading coordinates, less exactly.
    pub(super) fn leading(&self, row: &[f32]) -> [f32; LEADING] {
        let mut rotated = [0.0; LEADING];
        for ((&value, &center), coefficients) in row.iter().zip(&self.center).zip(&self.leading) {
            for (sum, coefficient) in rotated.iter_mut().zip(coefficients) {
                *sum += (value - center) * coefficient;
            }
        }
        rotated
    }
}

/// Rows in the coordinates of a [`Rotation`].
pub(super) struct Rotated {
    values: Vec<f64>,
    coordinates: usize,
    roundings: Vec<f64>,
}

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct RotatedRow<'a> {
    pub(super) coordinates: &'a [f64],
    pub(super) leading: &'a [f64; LEADING],
    /// At least the distance from the rotated row without roundings.
    pub(super) rounding: f64,
}

impl Rotated {
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = RotatedRow<'_>> + Clone {
        self.values.chunks_exact(self.coordinates + LEADING).zip(&self.roundings).map(
            |(values, &rounding)| {
                let (coordinates, leading) = values.split_at(self.coordinates);
                RotatedRow { coordinates, leading: &leading.as_chunks().0[0], rounding }
            },
        )
    }
}

/// At least the spectral norm, and at least the Frobenius norm, of columns that are nearly orthonormal.
///
/// The spectral norm's square is the largest eigenvalue of the product of the transpose with the matrix,
/// which is off 1 by at most the Frobenius norm of what the product is off the identity.
fn norms(axes: MatRef<'_, f64>) -> (f64, f64) {
    let mut off = axes.transpose() * axes;
    let trace: f64 = (0..axes.ncols()).map(|i| off[(i, i)]).sum();
    for i in 0..axes.ncols() {
        off[(i, i)] -= 1.0;
    }
    // The roundings of these sums are some hundred units of 1e-16 times the columns.
    let own = 1e-13 * axes.nrows() as f64;
    ((1.0 + off.norm_l2() * (1.0 + own) + own).sqrt(), trace.sqrt() * (1.0 + own))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::neighbours::kernel::Instructions;

    /// A sum in two float64 numbers: about 32 digits.
    #[derive(Clone, Copy, Default)]
    struct Double(f64, f64);

    impl Double {
        fn add(self, value: f64) -> Self {
            let sum = self.0 + value;
            let part = sum - self.0;
            Self(sum, self.1 + ((self.0 - (sum - part)) + (value - part)))
        }

        fn add_product(self, a: f64, b: f64) -> Self {
            let product = a * b;
            self.add(product).add(a.mul_add(b, -product))
        }
    }

    fn rows() -> impl Strategy<Value = Matrix> {
        let value = prop_oneof![4 => -3.0_f32..3.0, 1 => -1e6_f32..1e6, 1 => Just(0.0)];
        (1_usize..24).prop_flat_map(move |columns| {
            prop::collection::vec(value.clone(), columns * 30)
                .prop_map(move |values| Matrix::new(values, columns).unwrap())
        })
    }

    proptest! {
        #[test]
        fn a_rotated_row_is_within_its_rounding(rows in rows(), cut in 0.0_f64..1.0) {
            let columns = rows.columns();
            let cut = (columns as f64 * cut) as usize;
            let blocks: Vec<Range<usize>> =
                [0..cut, cut..columns].into_iter().filter(|block| !block.is_empty()).collect();
            let rotation = Rotation::mixed(&Principal::of(&rows), &blocks);
            for count in [1, rows.rows()] {
                for instructions in Instructions::ALL {
                    let all = (0..count).map(|row| rows.row(row));
                    let rotated = rotation.rotate(Kernel::new(instructions), all);
                    for (number, rotated) in rotated.iter().enumerate() {
                        let mut square = Double::default();
                        for (output, &coordinate) in rotated.coordinates.iter().enumerate() {
                            let mut exact = Double::default();
                            for (input, &value) in rows.row(number).iter().enumerate() {
                                let entry = rotation.axes[(input, output)];
                                exact = exact.add_product(f64::from(value), entry);
                                exact = exact.add_product(-f64::from(rotation.center[input]), entry);
                            }
                            let error = exact.add(-coordinate);
                            square = square.add_product(error.0 + error.1, error.0 + error.1);
                        }
                        prop_assert!(square.0.sqrt() <= rotated.rounding, "{} {}", square.0.sqrt(), rotated.rounding);
                    }
                }
            }
        }

        #[test]
        fn no_distance_grows_by_more_than_the_stretch(rows in rows(), factor in 0.5_f64..2.0) {
            let columns = rows.columns();
            let mut principal = Principal::of(&rows);
            // Whatever the axes are.
            principal.axes.as_mut().col_mut(0).iter_mut().for_each(|entry| *entry *= factor);
            let rotation = Rotation::mixed(&principal, &[0..1, 1..columns.max(2)][..columns.min(2)]);
            for (a, b) in (0..rows.rows()).zip(1..rows.rows()) {
                let pair = [rows.row(a), rows.row(b)];
                let distance = crate::squared_distance(pair[0], pair[1]).sqrt();
                let rotated = rotation.rotate(Kernel::new(Instructions::Portable), pair.into_iter());
                let both: Vec<RotatedRow<'_>> = rotated.iter().collect();
                let far = |a: &[f64], b: &[f64]| {
                    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
                };
                let most = rotation.stretch() * distance * (1.0 + 1e-9) + both[0].rounding + both[1].rounding;
                prop_assert!(far(both[0].coordinates, both[1].coordinates) <= most);
                prop_assert!(far(both[0].leading, both[1].leading) <= most);
            }
        }
    }
}
