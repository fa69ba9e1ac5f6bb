//! How one channel of an episode becomes 80 points.

use episodes::{CHANNEL_COUNT, CHANNELS, Episode, Label, Meta, Phase, Sample};
use profiles::{Curve, Section};

const COUNTER: &str = "proc.cpu_user_jiffies";
const SECOND: u64 = 1_000_000_000;

/// An episode of these phases, each so many seconds long, with a sample every second whose counter is `counter(second)`.
fn episode(phases: &[(Phase, u64)], counter: impl Fn(u64) -> f64) -> Episode {
    let place = CHANNELS.iter().position(|channel| channel.name == COUNTER).unwrap();
    let mut at = 0;
    let labels = phases.iter().map(|(phase, seconds)| {
        let label = Label { t_mono_ns: at * SECOND, phase: *phase };
        at += seconds;
        label
    });
    let labels: Vec<Label> = labels.collect();
    let samples = (0..at).map(|second| {
        let mut values = [f64::NAN; CHANNEL_COUNT];
        values[place] = counter(second);
        Sample { t_mono_ns: second * SECOND, values }
    });
    let meta = Meta {
        episode_id: "e".parse().unwrap(),
        host_id: "h".parse().unwrap(),
        profile: "bursty".into(),
        sample_name: "s".into(),
        started_at_wall: "2026-03-01T12:00:00Z".into(),
        ended_mono_ns: at * SECOND,
        sample_hz: 1.0,
        recorder: "test".into(),
    };
    Episode { meta, labels, samples: samples.collect() }
}

/// The points of a section.
fn points(curve: &Curve, section: Section) -> Vec<f64> {
    let before: usize =
        Section::ALL.into_iter().take_while(|other| *other != section).map(Section::budget).sum();
    curve.0[before..before + section.budget()].to_vec()
}

fn of(phases: &[(Phase, u64)], counter: impl Fn(u64) -> f64) -> Curve {
    Curve::of(&episode(phases, counter), COUNTER).unwrap()
}

use Phase::{Armed, Clean, Dormant, Failed, InfectedRunning, Infecting};

#[test]
fn the_budgets_are_ten_five_ten_forty_and_fifteen() {
    let budgets = Section::ALL.map(|section| (section.name(), section.budget()));
    let expected =
        [("clean_lead", 10), ("armed", 5), ("infecting", 10), ("infected_running", 40), ("clean_tail", 15)];
    assert_eq!(budgets, expected);
}

#[test]
fn a_counter_becomes_its_rate_and_the_first_sample_has_none() {
    let curve = of(&[(Clean, 4), (Armed, 4)], |second| 100.0 + 3.0 * second as f64);
    assert_eq!(points(&curve, Section::CleanLead), [3.0; 10]);
    // Of an episode whose first phase is one sample long nothing is left of it.
    let curve = of(&[(Clean, 1), (Armed, 4)], |second| second as f64);
    assert!(points(&curve, Section::CleanLead).iter().all(|point| point.is_nan()));
}

#[test]
fn a_counter_that_starts_anew_gives_no_rate_there() {
    let curve = of(&[(Clean, 8)], |second| if second < 4 { 10.0 * second as f64 } else { second as f64 });
    let points = points(&curve, Section::CleanLead);
    assert!(points.iter().all(|rate| *rate >= 1.0), "{points:?}");
    assert_eq!((points[0], points[9]), (10.0, 1.0));
}

#[test]
fn dormant_counts_as_running() {
    let rate = |second: u64| if second < 12 { 0.0 } else { (second - 12) as f64 };
    let curve = of(&[(Clean, 4), (Infecting, 4), (InfectedRunning, 4), (Dormant, 8), (Clean, 4)], rate);
    let running = points(&curve, Section::InfectedRunning);
    assert_eq!((running[0], running[39]), (0.0, 1.0));
}

#[test]
fn clean_is_lead_before_and_tail_after_and_nothing_between_or_where_the_run_failed() {
    let rates = [1.0, 2.0, 3.0, 4.0, 5.0];
    let counter = |second: u64| (1..=second).map(|at| rates[(at / 4) as usize]).sum();
    let curve = of(&[(Clean, 4), (Armed, 4), (Clean, 4), (Infecting, 4), (Clean, 4)], counter);
    assert_eq!(points(&curve, Section::CleanLead), [1.0; 10]);
    assert_eq!(points(&curve, Section::Armed), [2.0; 5]);
    assert_eq!(points(&curve, Section::Infecting), [4.0; 10]);
    assert_eq!(points(&curve, Section::CleanTail), [5.0; 15]);
    let curve = of(&[(Clean, 4), (Failed, 4)], counter);
    assert!(points(&curve, Section::InfectedRunning).iter().all(|point| point.is_nan()));
}

#[test]
fn there_is_no_curve_of_a_channel_that_is_not_there() {
    assert_eq!(Curve::of(&episode(&[(Clean, 4)], |_| 0.0), "proc.no_such_channel"), None);
}
