use episodes::{CHANNELS, Name, Phase, Profile, feature_names};

#[test]
fn an_id_that_could_leave_the_data_root_or_hide_in_it_is_refused() {
    for bad in ["", ".", "..", ".hidden", "-flag", "a/b", "../a", "a b", "ä", "a\0", &"x".repeat(101)] {
        assert!(bad.parse::<Name>().is_err(), "{bad:?}");
    }
    for good in ["a", "bench-1core", "10.0.0.7", "A_b", &"x".repeat(100)] {
        assert!(good.parse::<Name>().is_ok(), "{good:?}");
    }
}

#[test]
fn every_name_reads_back_as_what_it_names() {
    assert!(Phase::ALL.iter().all(|phase| phase.name().parse::<Phase>().unwrap() == *phase));
    assert!(Profile::ALL.iter().all(|profile| profile.name().parse::<Profile>().unwrap() == *profile));
    let codes: Vec<u8> = Phase::ALL.iter().map(|phase| phase.code()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn channels_and_features_are_each_named_once() {
    let unique = |names: Vec<String>| {
        let count = names.len();
        let mut names = names;
        names.sort();
        names.dedup();
        names.len() == count
    };
    assert!(unique(CHANNELS.iter().map(|channel| channel.name.to_owned()).collect()));
    assert!(unique(feature_names().collect()));
    assert_eq!(feature_names().next().unwrap(), "proc.cpu_user_jiffies.mean");
}
