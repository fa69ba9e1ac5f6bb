/// What a window says about one channel. Missing values are left out; of nothing but missing values
/// every statistic is NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Arithmetic mean.
    Mean,
    /// Standard deviation of the population (divisor n).
    Std,
    /// Least value.
    Min,
    /// Middle value; of an even number the mean of the middle two.
    Median,
    /// Greatest value.
    Max,
    /// Mean of the window's last fifth: where the channel stands now.
    Recent,
    /// Mean of the window's second half less that of its first: where the channel is going.
    Rise,
}

impl Statistic {
    /// All statistics, in the order of the feature table.
    pub const ALL: [Self; 7] =
        [Self::Mean, Self::Std, Self::Min, Self::Median, Self::Max, Self::Recent, Self::Rise];

    /// The last part of a feature's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Std => "std",
            Self::Min => "min",
            Self::Median => "median",
            Self::Max => "max",
            Self::Recent => "recent",
            Self::Rise => "rise",
        }
    }
}

/// Computes [`Statistic::ALL`] of a window's values, each with the nanoseconds from the window's begin
/// to its sample. NaN is a missing value.
pub(crate) fn describe(
    values: impl Iterator<Item = (u64, f64)>,
    window_ns: u64,
) -> [f64; Statistic::ALL.len()] {
    let present: Vec<(u64, f64)> = values.filter(|(_, value)| !value.is_nan()).collect();
    let mean_within = |from_ns: u64, to_ns: u64| {
        let within = present.iter().filter(|(at, _)| (from_ns..to_ns).contains(at));
        mean(within.map(|(_, value)| *value))
    };
    let mut sorted: Vec<f64> = present.iter().map(|(_, value)| *value).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let whole = mean_within(0, window_ns);
    Statistic::ALL.map(|statistic| match statistic {
        Statistic::Mean => whole,
        Statistic::Std => mean(present.iter().map(|(_, value)| (value - whole).powi(2))).sqrt(),
        Statistic::Min => sorted.first().copied().unwrap_or(f64::NAN),
        Statistic::Median => median(&sorted),
        Statistic::Max => sorted.last().copied().unwrap_or(f64::NAN),
        Statistic::Recent => mean_within(window_ns - window_ns / 5, window_ns),
        Statistic::Rise => mean_within(window_ns / 2, window_ns) - mean_within(0, window_ns / 2),
    })
}

/// NaN of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> [f64; 7] {
        describe(values.iter().enumerate().map(|(at, value)| (at as u64, *value)), values.len() as u64)
    }

    #[test]
    fn each_statistic_is_what_its_name_says() {
        let [mean, std, min, median, max, recent, rise] =
            of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, 0.0, 10.0]);
        assert_eq!((mean, min, median, max), (5.0, 0.0, 4.5, 10.0));
        assert!((std - 8.2_f64.sqrt()).abs() < 1e-12);
        assert_eq!((recent, rise), (5.0, 6.2 - 3.8));
    }

    #[test]
    fn a_missing_value_is_left_out() {
        assert_eq!(of(&[1.0, f64::NAN, 3.0, f64::NAN])[..5], [2.0, 1.0, 1.0, 2.0, 3.0]);
        assert!(of(&[f64::NAN; 4]).iter().all(|value| value.is_nan()));
    }
}
