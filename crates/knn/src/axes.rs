/// Sums that a coordinate is added up in: side by side they do not wait for each other.
const LANES: usize = 8;

/// The directions that PCA or LDA found.
#[derive(Debug, Clone, PartialEq)]
pub struct Axes {
    /// Mean of the fit rows, one value a kept column.
    pub center: Vec<f64>,
    /// At most three axes, strongest first, one value a kept column. Their entry of largest magnitude is
    /// positive.
    pub axes: Vec<Vec<f64>>,
    /// Per axis: the share of the total variance (PCA) or of the between-phase variance (LDA).
    pub captured: Vec<f64>,
}

impl Axes {
    /// `(row - center) . axis` for every axis; 0 for one that is missing.
    pub fn coordinates<const N: usize>(&self, row: &[f32]) -> [f64; N] {
        let mut coordinates = [0.0; N];
        for (coordinate, axis) in coordinates.iter_mut().zip(&self.axes) {
            let mut lanes = [0.0; LANES];
            let (values, last_values) = row.as_chunks::<LANES>();
            let (centers, last_centers) = self.center.as_chunks::<LANES>();
            let (axis, last_axis) = axis.as_chunks::<LANES>();
            for ((values, centers), axis) in values.iter().zip(centers).zip(axis) {
                for lane in 0..LANES {
                    lanes[lane] += (f64::from(values[lane]) - centers[lane]) * axis[lane];
                }
            }
            let last = last_values.iter().zip(last_centers).zip(last_axis);
            for (sum, ((&value, center), axis)) in lanes.iter_mut().zip(last) {
                *sum += (f64::from(value) - center) * axis;
            }
            *coordinate = lanes.iter().sum();
        }
        coordinates
    }
}
