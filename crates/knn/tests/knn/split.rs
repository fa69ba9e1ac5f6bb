use std::collections::BTreeSet;

use knn::{Origin, Recipe, Split, SplitError};
use proptest::prelude::*;

use crate::fixture::windows;

fn origin(episodes: usize) -> Origin {
    windows(episodes, 4, 0).origin
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
        let split = Split::new(recipe, &host_0(), &origin, seed).unwrap();
        let mut all = [split.train.clone(), split.validation.clone(), split.test.clone()].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..origin.rows() as u32).collect::<Vec<_>>());
        prop_assert!(!split.train.is_empty() && !split.validation.is_empty() && !split.test.is_empty());
        if recipe != Recipe::Random {
            let test = episodes(&origin, &split.test);
            let validation = episodes(&origin, &split.validation);
            let train = episodes(&origin, &split.train);
            prop_assert!(test.is_disjoint(&train) && test.is_disjoint(&validation));
            prop_assert!(train.is_disjoint(&validation));
        }
        prop_assert_eq!(Split::new(recipe, &host_0(), &origin, seed).unwrap(), split);
    }
}

#[test]
fn by_host_all_other_hosts_are_the_test_and_a_tenth_of_the_training_episodes_validates() {
    let origin = origin(80);
    let split = Split::new(Recipe::Host, &host_0(), &origin, 1).unwrap();
    assert!(split.test.iter().all(|&row| origin.hosts.name(row as usize) == "host-1"));
    assert!(split.learned().iter().all(|&row| origin.hosts.name(row as usize) == "host-0"));
    assert_eq!(episodes(&origin, &split.validation).len(), 4);
    assert_eq!(split.test.len(), 40 * 16);
}

#[test]
fn by_time_no_test_episode_is_followed_by_a_training_episode_of_its_host_and_profile() {
    let origin = origin(60);
    let split = Split::new(Recipe::Time, &[], &origin, 1).unwrap();
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
fn another_seed_draws_another_split() {
    let origin = origin(40);
    for recipe in [Recipe::Random, Recipe::Sample] {
        assert_ne!(Split::new(recipe, &[], &origin, 1), Split::new(recipe, &[], &origin, 2));
    }
}

#[test]
fn what_cannot_be_parted_says_why() {
    let refusal = |recipe, hosts: &[String], count| {
        Split::new(recipe, hosts, &origin(count), 0).unwrap_err().to_string()
    };
    let hosts = ["host-0".to_owned(), "host-1".to_owned()];
    assert!(refusal(Recipe::Host, &hosts, 4).contains("no host is left to test on"));
    assert_eq!(
        refusal(Recipe::Host, &["nowhere".to_owned()], 4),
        "no window is of training host `nowhere`; the hosts are host-0, host-1"
    );
    assert_eq!(refusal(Recipe::Sample, &[], 1), SplitError::OneEpisode.to_string());
    assert_eq!(refusal(Recipe::Time, &[], 2), SplitError::NothingLater.to_string());
}

#[test]
fn the_busiest_host_is_the_first_by_name_of_those_with_the_most_counted_episodes() {
    let origin = origin(8);
    assert_eq!(origin.busiest_host(|_| true), Some(("host-0".to_owned(), 4)));
    let counts = |episode: &str| episode != "episode-000";
    assert_eq!(origin.busiest_host(counts), Some(("host-1".to_owned(), 4)));
    assert_eq!(origin.busiest_host(|_| false), None);
}
