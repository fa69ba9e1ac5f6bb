use std::collections::BTreeSet;

use knn::{Origin, Recipe, Split, SplitError};
use proptest::prelude::*;

use crate::fixture::windows;

fn origin(episodes: usize) -> Origin {
    windows(episodes, 4, 0).origin
}

/// Parts so many episodes.
fn split(recipe: Recipe, hosts: &[String], episodes: usize, seed: u64) -> Result<Split, SplitError> {
    let table = windows(episodes, 4, 0);
    Split::new(recipe, hosts, &table.origin, table.samples.as_ref(), seed)
}

fn host_0() -> Vec<String> {
    vec!["host-0".to_owned()]
}

fn episodes(origin: &Origin, rows: &[u32]) -> BTreeSet<String> {
    rows.iter().map(|&row| origin.episodes.name(row as usize).to_owned()).collect()
}

proptest! {
    #[test]
    fn every_window_is_in_exactly_one_part(
        count in 7_usize..40,
        recipe in prop::sample::select(vec![Recipe::Host, Recipe::Random, Recipe::Sample, Recipe::Time]),
        seed in 0_u64..50,
    ) {
        let origin = origin(count);
        let parts = split(recipe, &host_0(), count, seed).unwrap();
        prop_assert_eq!(&split(recipe, &host_0(), count, seed).unwrap(), &parts);
        let mut all = [parts.train.clone(), parts.validation.clone(), parts.test.clone()].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..origin.rows() as u32).collect::<Vec<_>>());
        prop_assert!(!parts.train.is_empty() && !parts.validation.is_empty() && !parts.test.is_empty());
        if recipe != Recipe::Random {
            let test = episodes(&origin, &parts.test);
            let validation = episodes(&origin, &parts.validation);
            let train = episodes(&origin, &parts.train);
            prop_assert!(test.is_disjoint(&train) && test.is_disjoint(&validation));
            prop_assert!(train.is_disjoint(&validation));
        }
    }
}

#[test]
fn by_host_all_other_hosts_are_the_test_and_a_tenth_of_the_training_episodes_validates() {
    let origin = origin(80);
    let split = split(Recipe::Host, &host_0(), 80, 1).unwrap();
    assert!(split.test.iter().all(|&row| origin.hosts.name(row as usize) == "host-1"));
    assert!(split.learned().iter().all(|&row| origin.hosts.name(row as usize) == "host-0"));
    assert_eq!(episodes(&origin, &split.validation).len(), 4);
    assert_eq!(split.test.len(), 40 * 16);
}

#[test]
fn by_time_no_test_episode_is_followed_by_a_training_episode_of_its_host_and_profile() {
    let origin = origin(60);
    let split = split(Recipe::Time, &[], 60, 1).unwrap();
    let of = |row: u32| {
        let row = row as usize;
        (origin.hosts.name(row), origin.profiles.name(row), origin.episodes.name(row))
    };
    for &test in &split.test {
        for learned in split.learned() {
            let (host, profile, episode) = of(test);
            let other = of(learned);
            assert!((other.0, other.1) != (host, profile) || other.2 < episode);
        }
    }
    assert_eq!(episodes(&origin, &split.test).len(), 12);
}

#[test]
fn by_sample_a_fifth_of_the_samples_is_the_test_on_every_host() {
    let table = windows(40, 4, 0);
    let samples = table.samples.unwrap();
    let of = |rows: &[u32]| -> BTreeSet<String> {
        rows.iter().map(|&row| samples.name(row as usize).to_owned()).collect()
    };
    let split = split(Recipe::Sample, &[], 40, 1).unwrap();
    let (train, validation, test) = (of(&split.train), of(&split.validation), of(&split.test));
    assert_eq!((train.len(), validation.len(), test.len()), (15, 1, 4));
    assert!(test.is_disjoint(&train) && test.is_disjoint(&validation) && train.is_disjoint(&validation));
    let hosts: BTreeSet<&str> = split.test.iter().map(|&row| table.origin.hosts.name(row as usize)).collect();
    assert_eq!(hosts, BTreeSet::from(["host-0", "host-1"]));
}

#[test]
fn another_seed_draws_another_split() {
    for recipe in [Recipe::Random, Recipe::Sample] {
        assert_ne!(split(recipe, &[], 40, 1), split(recipe, &[], 40, 2));
    }
}

#[test]
fn what_cannot_be_parted_says_why() {
    let refusal = |recipe, hosts: &[String], count| split(recipe, hosts, count, 0).unwrap_err().to_string();
    let hosts = ["host-0".to_owned(), "host-1".to_owned()];
    assert_eq!(
        refusal(Recipe::Host, &hosts, 4),
        "every window is of a training host (host-0, host-1), so no host is left to test on: name fewer \
         with --train-hosts, or choose --split-recipe sample, time or random"
    );
    assert_eq!(
        refusal(Recipe::Host, &["nowhere".to_owned()], 4),
        "no window is of training host `nowhere`; the hosts are host-0, host-1"
    );
    assert_eq!(split(Recipe::Sample, &[], 2, 0), Err(SplitError::OneSample));
    assert_eq!(Split::new(Recipe::Sample, &[], &origin(4), None, 0), Err(SplitError::NoSamples));
    assert_eq!(split(Recipe::Time, &[], 2, 0), Err(SplitError::NothingLater));
}
