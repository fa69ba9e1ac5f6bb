use std::time::Duration;

use episodes::{
    CHANNEL_COUNT, CHANNELS, FEATURE_COUNT, Grid, Label, Phase, Reading, Sample, Window, Windower,
};
use proptest::prelude::*;

use crate::fixture::sample;

const MS: u64 = 1_000_000;

fn grid(window_ms: u64, hop_ms: u64) -> Grid {
    Grid::new(Duration::from_millis(window_ms), Duration::from_millis(hop_ms)).unwrap()
}

/// Feeds labels and samples in the order of their times, a label before a sample of the same time.
fn stream(grid: Grid, labels: &[Label], samples: &[Sample]) -> Vec<Window> {
    let mut windower = Windower::new(grid);
    let mut labels = labels.iter().peekable();
    let mut windows = Vec::new();
    for sample in samples {
        while let Some(label) = labels.next_if(|label| label.t_mono_ns <= sample.t_mono_ns) {
            windower.label(*label);
        }
        windows.extend(windower.sample(sample));
    }
    windows
}

/// The definition, word by word, over the whole episode: no state, no hurry.
fn oracle(window: u64, hop: u64, labels: &[Label], samples: &[Sample]) -> Vec<Window> {
    let Some(origin) = labels.first().map(|label| label.t_mono_ns) else { return Vec::new() };
    let samples: Vec<&Sample> = samples.iter().filter(|sample| sample.t_mono_ns >= origin).collect();
    let Some(last) = samples.last() else { return Vec::new() };
    let value = |at: usize, channel: usize| {
        let now = samples[at].values[channel];
        if CHANNELS[channel].reading == Reading::Gauge {
            return now;
        }
        let Some(before) = at.checked_sub(1).map(|at| samples[at]) else { return f64::NAN };
        let rise = now - before.values[channel];
        if rise >= 0.0 { rise / ((samples[at].t_mono_ns - before.t_mono_ns) as f64 / 1e9) } else { f64::NAN }
    };
    let mut windows = Vec::new();
    for idx in 0.. {
        let (begin, end) = (origin + idx * hop, origin + idx * hop + window);
        if end > last.t_mono_ns {
            return windows;
        }
        let inside: Vec<usize> =
            (0..samples.len()).filter(|at| (begin..end).contains(&samples[*at].t_mono_ns)).collect();
        if inside.is_empty() {
            continue;
        }
        let mut features = Vec::new();
        for channel in (0..CHANNEL_COUNT).filter(|channel| CHANNELS[*channel].featured) {
            let within = |from: u64, to: u64| -> Vec<f64> {
                let taken = inside.iter().filter(|at| {
                    let into = samples[**at].t_mono_ns - begin;
                    from <= into && into < to
                });
                taken.map(|at| value(*at, channel)).filter(|value| !value.is_nan()).collect()
            };
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let mut values = within(0, window);
            let whole = mean(&values);
            let squares: Vec<f64> = values.iter().map(|value| (value - whole) * (value - whole)).collect();
            let recent = mean(&within(window - window / 5, window));
            let rise = mean(&within(window / 2, window)) - mean(&within(0, window / 2));
            values.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
            let count = values.len();
            let median = if count > 0 { (at((count - 1) / 2) + at(count / 2)) / 2.0 } else { f64::NAN };
            let greatest = at(count.wrapping_sub(1));
            let statistics = [whole, mean(&squares).sqrt(), at(0), median, greatest, recent, rise];
            features.extend(statistics.map(|value| value as f32));
        }
        let phase = labels.iter().rfind(|label| label.t_mono_ns < end).unwrap().phase;
        windows.push(Window { idx: idx as u32, t_s: (end - origin) as f64 / 1e9, phase, features });
    }
    windows
}

fn assert_same(actual: &[Window], expected: &[Window]) {
    let place = |window: &Window| (window.idx, window.t_s.to_bits(), window.phase);
    assert_eq!(actual.iter().map(place).collect::<Vec<_>>(), expected.iter().map(place).collect::<Vec<_>>());
    for (actual, expected) in actual.iter().zip(expected) {
        let bits = |window: &Window| window.features.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let nan = |window: &Window| window.features.iter().map(|value| value.is_nan()).collect::<Vec<_>>();
        assert_eq!(nan(actual), nan(expected));
        if nan(actual).iter().all(|nan| !nan) {
            assert_eq!(bits(actual), bits(expected));
        } else {
            let present = |window: &Window| -> Vec<f32> {
                window.features.iter().copied().filter(|value| !value.is_nan()).collect()
            };
            assert_eq!(present(actual), present(expected));
        }
    }
}

fn recordings() -> impl Strategy<Value = (Vec<Label>, Vec<Sample>)> {
    // Steps of 1 ms to 3 s: even sampling, bursts and gaps of several windows.
    let step = prop_oneof![8 => 50_u64..150, 1 => 1_u64..10, 1 => 500_u64..3000];
    let reading = prop_oneof![8 => 0.0..1e6_f64, 1 => Just(f64::NAN)];
    let samples = prop::collection::vec((step, reading, 0_usize..CHANNEL_COUNT), 0..120);
    let labels = prop::collection::vec((1_u64..2000, 0_usize..6), 0..8);
    (0_u64..500, labels, samples).prop_map(|(first, labels, samples)| {
        let mut at = first * MS;
        let labels = labels.into_iter().map(|(step, phase)| {
            at += step * MS;
            Label { t_mono_ns: at, phase: Phase::ALL[phase] }
        });
        let labels = labels.collect();
        let (mut at, mut count) = (0, 0.0);
        let samples = samples.into_iter().map(|(step, reading, channel)| {
            at += step * MS;
            count += 3.0;
            let mut sample = sample(at, count);
            // One channel steps anywhere, back too, or goes missing.
            sample.values[channel] = reading;
            sample
        });
        (labels, samples.collect())
    })
}

proptest! {
    #[test]
    fn windows_as_they_complete_are_the_windows_of_the_definition(
        (labels, samples) in recordings(),
        window_ms in 100_u64..2000,
        hop_ms in 50_u64..2500,
    ) {
        let actual = stream(grid(window_ms, hop_ms), &labels, &samples);
        assert_same(&actual, &oracle(window_ms * MS, hop_ms * MS, &labels, &samples));
    }
}

#[test]
fn a_counter_becomes_its_rate_and_a_gauge_stays_a_level() {
    let labels = [Label { t_mono_ns: 0, phase: Phase::Clean }];
    let samples: Vec<Sample> = (0..=10).map(|tick| sample(tick * 100 * MS, 4.0 * tick as f64)).collect();
    let windows = stream(grid(1000, 1000), &labels, &samples);
    assert_eq!(windows.len(), 1);
    let featured = CHANNELS.iter().filter(|channel| channel.featured);
    for (channel, features) in featured.zip(windows[0].features.chunks(7)) {
        if channel.reading == Reading::Counter {
            assert_eq!(features, [40.0, 0.0, 40.0, 40.0, 40.0, 40.0, 0.0], "{}", channel.name);
        } else {
            assert_eq!((features[2], features[4]), (0.0, 6.0), "{}", channel.name);
        }
    }
}

#[test]
fn a_channel_that_is_missing_throughout_stays_nan() {
    let labels = [Label { t_mono_ns: 0, phase: Phase::Clean }];
    let samples: Vec<Sample> = (0..=10)
        .map(|tick| {
            let mut sample = sample(tick * 100 * MS, tick as f64);
            sample.values[3] = f64::NAN;
            sample
        })
        .collect();
    let windows = stream(grid(1000, 1000), &labels, &samples);
    let missing: Vec<usize> = (0..FEATURE_COUNT).filter(|at| windows[0].features[*at].is_nan()).collect();
    assert_eq!(missing, [21, 22, 23, 24, 25, 26, 27]);
}

#[test]
fn a_number_beyond_float32_is_a_missing_value() {
    let labels = [Label { t_mono_ns: 0, phase: Phase::Clean }];
    let mut samples: Vec<Sample> = (0..=10).map(|tick| sample(tick * 100 * MS, tick as f64)).collect();
    samples[4].values = [1e300; CHANNEL_COUNT];
    let windows = stream(grid(1000, 1000), &labels, &samples);
    assert!(windows[0].features.iter().all(|value| !value.is_infinite()));
    // Of every channel the least value still is a number, and the greatest is none.
    for features in windows[0].features.chunks(7) {
        assert!(features[2].is_finite() && features[4].is_nan());
    }
}

#[test]
fn a_window_has_the_phase_in_force_at_its_end() {
    let labels = [
        Label { t_mono_ns: 0, phase: Phase::Clean },
        Label { t_mono_ns: 950 * MS, phase: Phase::Armed },
        Label { t_mono_ns: 2000 * MS, phase: Phase::Infecting },
    ];
    let samples: Vec<Sample> = (0..=30).map(|tick| sample(tick * 100 * MS, tick as f64)).collect();
    let phases: Vec<Phase> =
        stream(grid(1000, 1000), &labels, &samples).iter().map(|window| window.phase).collect();
    assert_eq!(phases, [Phase::Armed, Phase::Armed, Phase::Infecting]);
}

#[test]
fn times_at_the_end_of_the_clock_neither_panic_nor_hang() {
    let mut windower = Windower::new(grid(1000, 1));
    windower.label(Label { t_mono_ns: 0, phase: Phase::Clean });
    for t_mono_ns in [0, u64::MAX - 1, u64::MAX, 5] {
        windower.sample(&sample(t_mono_ns, 1.0));
    }
}

#[test]
fn a_grid_without_extent_is_refused() {
    let second = Duration::from_secs(1);
    assert!(Grid::new(Duration::ZERO, second).is_err());
    assert!(Grid::new(second, Duration::ZERO).is_err());
    assert!(Grid::new(Duration::MAX, second).is_err());
    let error = Grid::new(second, Duration::from_micros(1)).unwrap_err();
    assert_eq!(error.to_string(), "--hop 1µs: expected 1 ms to 1 h");
}
