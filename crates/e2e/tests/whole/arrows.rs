//! Who may use whom. A new arrow is a decision: it is added here and in docs/architecture.md.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Package -> the packages of this workspace that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("events", &[]),
    ("command", &[]),
    ("dashboard", &[]),
    ("episodes", &[]),
    ("publisher", &["events"]),
    ("broadcaster", &["events", "runs"]),
    ("runs", &["events"]),
    ("tail", &[]),
    ("knn", &["events", "publisher", "episodes", "tail"]),
    ("feeders", &["episodes", "events", "publisher", "runs", "tail"]),
    ("profiles", &["episodes", "events"]),
    ("multi-model-metrics", &["events", "publisher"]),
    ("e2e", &[]),
    ("broadcaster-cli", &["broadcaster", "command", "dashboard", "runs"]),
    ("episodes-cli", &["command", "episodes"]),
    ("feeders-cli", &["command", "feeders", "publisher", "runs"]),
    ("profiles-cli", &["command", "profiles", "publisher"]),
    ("knn-cli", &["command", "episodes", "events", "knn", "publisher"]),
    ("multi-model-metrics-cli", &["command", "multi-model-metrics", "publisher"]),
];

#[test]
fn crates_depend_on_each_other_only_where_the_architecture_says_so() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let members: BTreeSet<String> =
        metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is not in the architecture"));
        for dependency in &package.dependencies {
            // Tests may use what they test against.
            let counts = dependency.kind != DependencyKind::Development && members.contains(&dependency.name);
            assert!(
                !counts || may.contains(&dependency.name.as_str()),
                "{name} depends on {}",
                dependency.name
            );
            assert!(dependency.name != "e2e", "nothing depends on e2e");
        }
    }
    assert_eq!(members.len(), ARROWS.len(), "a package is gone: {members:?}");
}

#[test]
fn the_wire_schema_stays_small() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let events = metadata.packages.iter().find(|package| package.name.as_str() == "events").unwrap();
    let built: BTreeSet<&str> = events
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal && !dependency.optional)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let small = ["memchr", "serde", "serde_json", "serde_path_to_error", "thiserror"];
    assert_eq!(built, BTreeSet::from(small));
}
