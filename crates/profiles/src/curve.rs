use episodes::{CHANNELS, Episode, Reading};
use events::PROFILE_POINTS;

use crate::Section;

/// How one channel of one episode runs through the sections: NaN where the episode has nothing of a section.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve(pub [f64; PROFILE_POINTS]);

impl Curve {
    /// Cuts a channel by the labels and resamples each section to its points, by linear interpolation between
    /// neighbouring samples. `None` if there is no such channel.
    ///
    /// A counter becomes a rate first, between neighbouring samples, which belongs to the later one; the first sample after
    /// it starts, or starts anew, has none and is dropped.
    pub fn of(episode: &Episode, channel: &str) -> Option<Self> {
        let place = CHANNELS.iter().position(|known| known.name == channel)?;
        let values = match CHANNELS[place].reading {
            Reading::Gauge => gauge(episode, place),
            Reading::Counter => rates(episode, place),
        };
        let sections = Section::of(&episode.labels);
        let mut parts: [Vec<f64>; Section::ALL.len()] = Default::default();
        for (at, value) in values {
            // The phase that is in force: the last that began by then.
            let label = episode.labels.partition_point(|label| label.t_mono_ns <= at);
            if let Some(Some(section)) = label.checked_sub(1).map(|label| sections[label]) {
                parts[section as usize].push(value);
            }
        }
        let mut points = [f64::NAN; PROFILE_POINTS];
        let mut rest = &mut points[..];
        for section in Section::ALL {
            let (these, after) = rest.split_at_mut(section.budget());
            resample(&parts[section as usize], these);
            rest = after;
        }
        Some(Self(points))
    }
}

fn gauge(episode: &Episode, place: usize) -> Vec<(u64, f64)> {
    let values = episode.samples.iter().map(|sample| (sample.t_mono_ns, sample.values[place]));
    values.filter(|(_, value)| value.is_finite()).collect()
}

fn rates(episode: &Episode, place: usize) -> Vec<(u64, f64)> {
    let rates = episode.samples.windows(2).map(|pair| {
        let seconds = (pair[1].t_mono_ns - pair[0].t_mono_ns) as f64 / 1e9;
        (pair[1].t_mono_ns, (pair[1].values[place] - pair[0].values[place]) / seconds)
    });
    // A counter that goes back has started anew.
    rates.filter(|(_, rate)| rate.is_finite() && *rate >= 0.0).collect()
}

/// As many points as there is room for, from the first value to the last, evenly.
fn resample(values: &[f64], points: &mut [f64]) {
    let Some(last) = values.len().checked_sub(1) else { return };
    let step = last as f64 / (points.len() - 1).max(1) as f64;
    for (number, point) in points.iter_mut().enumerate() {
        let at = number as f64 * step;
        let before = (at.floor() as usize).min(last);
        let share = at - before as f64;
        *point = match values.get(before + 1) {
            Some(after) if share > 0.0 => values[before] + share * (after - values[before]),
            _ => values[before],
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_resampled_from_its_first_value_to_its_last() {
        let resampled = |values: &[f64], count| {
            let mut points = vec![f64::NAN; count];
            resample(values, &mut points);
            points
        };
        assert_eq!(resampled(&[1.0, 3.0], 5), [1.0, 1.5, 2.0, 2.5, 3.0]);
        assert_eq!(resampled(&[1.0, 2.0, 3.0, 4.0, 5.0], 3), [1.0, 3.0, 5.0]);
        assert_eq!(resampled(&[7.0], 3), [7.0; 3]);
        assert!(resampled(&[], 3).iter().all(|point| point.is_nan()));
    }
}
