use events::{AttackProfile, Name, PROFILE_POINTS, Real, Text};

use crate::channel::unit;
use crate::{Curve, Section};

/// Median and quartiles over the curves of a profile's episodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The profile.
    pub name: String,
    /// The channel, as in `telemetry-proc.jsonl`.
    pub channel: String,
    /// Of each point: first quartile, median, third quartile. Finite.
    pub points: Vec<[f64; 3]>,
    /// Curves.
    pub episodes: u64,
}

impl Envelope {
    /// Of these curves.
    ///
    /// # Errors
    /// The first section that no curve has anything of.
    pub fn of(name: &str, channel: &str, curves: &[Curve]) -> Result<Self, Section> {
        let mut sections =
            Section::ALL.into_iter().flat_map(|section| std::iter::repeat_n(section, section.budget()));
        let points = (0..PROFILE_POINTS).map(|point| {
            let section = sections.next().unwrap_or(Section::CleanTail);
            let mut values: Vec<f64> =
                curves.iter().map(|curve| curve.0[point]).filter(|value| value.is_finite()).collect();
            values.sort_unstable_by(f64::total_cmp);
            if values.is_empty() {
                Err(section)
            } else {
                Ok([0.25, 0.5, 0.75].map(|share| quantile(&values, share)))
            }
        });
        Ok(Self {
            name: name.to_owned(),
            channel: channel.to_owned(),
            points: points.collect::<Result<_, _>>()?,
            episodes: curves.len() as u64,
        })
    }

    /// As it is published; `None` if a name is too long.
    pub fn event(&self) -> Option<AttackProfile<'static>> {
        let column = |at: usize| {
            self.points.iter().map(|point| Real::new(point[at]).ok()).collect::<Option<Vec<Real>>>()
        };
        let budget = |section: Section| Some((Name::try_from(section.name()).ok()?, section.budget() as u32));
        Some(AttackProfile {
            name: Name::try_from(self.name.clone()).ok()?,
            channel: Name::try_from(self.channel.clone()).ok()?,
            unit: Text::try_from(unit(&self.channel)).ok()?,
            p25: column(0)?,
            median: column(1)?,
            p75: column(2)?,
            episodes: self.episodes,
            phase_budget: Section::ALL.into_iter().map(budget).collect::<Option<_>>()?,
        })
    }
}

/// By linear interpolation between the two nearest of these sorted values.
fn quantile(values: &[f64], share: f64) -> f64 {
    let at = share * (values.len() - 1) as f64;
    let before = at.floor() as usize;
    let after = values[(before + 1).min(values.len() - 1)];
    values[before] + (at - before as f64) * (after - values[before])
}
