//! Labels of a sample of tarballs, to how much of the time each phase takes.

use std::fs;
use std::io::Write;
use std::path::Path;

use events::Phase;
use feeders::PhaseMixer;

/// A tarball with these files, as any recorder might write it.
fn tarball(root: &Path, host: &str, name: &str, files: &[(&str, &str)]) {
    let dir = root.join("episodes").join(host);
    fs::create_dir_all(&dir).unwrap();
    let mut tar = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    for (name, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    fs::write(dir.join(format!("{name}.tar.zst")), tar.into_inner().unwrap().finish().unwrap()).unwrap();
}

fn labels(labels: &[(u64, &str)]) -> String {
    labels
        .iter()
        .map(|(at, phase)| format!("{{\"t_mono_ns\":{}, \"phase\":\"{phase}\"}}\n", at * 1_000_000_000))
        .collect()
}

#[test]
fn a_phase_lasts_until_the_next_and_the_last_has_no_length() {
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (labels(&[(0, "clean"), (5, "armed"), (7, "failed")]), labels(&[(3, "clean")]));
    tarball(root.path(), "a", "e1", &[("labels.jsonl", &one), ("telemetry-proc.jsonl", "not read")]);
    tarball(root.path(), "b", "e2", &[("meta.json", "not read"), ("labels.jsonl", &two)]);
    let mix = PhaseMixer::new(root.path(), 500, 0).mix().unwrap().unwrap();
    let counts: Vec<_> = mix.counts.iter().map(|(phase, count)| (*phase, *count)).collect();
    assert_eq!(
        counts,
        [(Phase::Clean, 2), (Phase::Armed, 1), (Phase::Dormant, 1)],
        "failed is shown as dormant"
    );
    let seconds: Vec<_> =
        mix.weighted_seconds.iter().map(|(phase, seconds)| (*phase, seconds.get())).collect();
    assert_eq!(seconds, [(Phase::Clean, 5.0), (Phase::Armed, 2.0)]);
    assert_eq!((mix.sampled_episodes, mix.population_episodes, mix.total_labels), (2, 2, 4));
}

#[test]
fn a_sample_stands_for_all_and_stays_when_others_come() {
    let root = tempfile::tempdir().unwrap();
    let text = labels(&[(0, "clean"), (10, "armed")]);
    let make =
        |n: u32| tarball(root.path(), &format!("h{}", n % 3), &format!("e{n}"), &[("labels.jsonl", &text)]);
    (0..30).for_each(make);
    let mix = |seed| PhaseMixer::new(root.path(), 10, seed).mix().unwrap().unwrap();
    let before = mix(1);
    assert_eq!((before.sampled_episodes, before.population_episodes), (10, 30));
    assert_eq!(before.weighted_seconds[&Phase::Clean].get(), 300.0);
    assert_eq!(before, mix(1), "the same seed");
    (30..33).for_each(make);
    assert_eq!(mix(1).weighted_seconds[&Phase::Clean].get(), 330.0);
}

/// Names of many that were not in the sample are forgotten: they come in again when those of the sample go.
#[test]
fn a_sample_is_the_same_whatever_was_there_before() {
    let root = tempfile::tempdir().unwrap();
    let text = |n: u32| labels(&[(0, "clean"), (1 << (n % 20), "armed")]);
    let host = |n: u32| format!("h{}", n % 7);
    (0..200).for_each(|n| tarball(root.path(), &host(n), &format!("e{n}"), &[("labels.jsonl", &text(n))]));
    let mut mixer = PhaseMixer::new(root.path(), 10, 1);
    for n in 0..195 {
        let dir = root.path().join("episodes").join(host(n));
        fs::remove_file(dir.join(format!("e{n}.tar.zst"))).unwrap();
        // As if it had been a while: what changed a moment ago is listed again in any case.
        let past = std::time::SystemTime::now() - std::time::Duration::from_secs(1_000 - u64::from(n));
        fs::File::open(dir).unwrap().set_modified(past).unwrap();
        let anew = PhaseMixer::new(root.path(), 10, 1).mix().unwrap();
        assert_eq!(mixer.mix().unwrap(), anew, "after {n}");
    }
}

#[test]
fn what_cannot_be_read_is_passed_over_and_what_changed_is_read_again() {
    let root = tempfile::tempdir().unwrap();
    let good = labels(&[(0, "clean"), (2, "armed")]);
    tarball(root.path(), "a", "good", &[("labels.jsonl", &good)]);
    tarball(root.path(), "a", "none", &[("meta.json", "{}")]);
    tarball(root.path(), "a", "back", &[("labels.jsonl", &labels(&[(5, "clean"), (2, "armed")]))]);
    let dir = root.path().join("episodes/a");
    fs::write(dir.join("torn.tar.zst"), &fs::read(dir.join("good.tar.zst")).unwrap()[..60]).unwrap();
    fs::write(dir.join(".unfinished-x.tar.zst"), "").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.join("link.tar.zst")).unwrap();
    let mut mixer = PhaseMixer::new(root.path(), 500, 0);
    let mix = mixer.mix().unwrap().unwrap();
    assert_eq!((mix.sampled_episodes, mix.population_episodes), (1, 4));
    tarball(root.path(), "a", "torn", &[("labels.jsonl", &good)]);
    assert_eq!(mixer.mix().unwrap().unwrap().sampled_episodes, 2);
    assert_eq!(mixer.mix().unwrap().unwrap(), mixer.mix().unwrap().unwrap());
}

#[test]
fn a_bomb_is_read_no_further_than_its_bounds() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("episodes/a");
    fs::create_dir_all(&dir).unwrap();
    // Ten gigabytes that are said to come before the labels, and a gigabyte of labels.
    let mut packed = zstd::Encoder::new(fs::File::create(dir.join("large.tar.zst")).unwrap(), 1).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_path("core.bin").unwrap();
    header.set_size(10 << 30);
    header.set_cksum();
    packed.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..200).for_each(|_| packed.write_all(&zeros).unwrap());
    packed.finish().unwrap();
    tarball(root.path(), "a", "labels", &[("labels.jsonl", &" ".repeat(100 << 20))]);
    let mut tar =
        tar::Builder::new(zstd::Encoder::new(fs::File::create(dir.join("out.tar.zst")).unwrap(), 1).unwrap());
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..15].copy_from_slice(b"../labels.jsonl");
    header.set_size(0);
    header.set_cksum();
    tar.append(&header, std::io::empty()).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    let mix = PhaseMixer::new(root.path(), 500, 0).mix().unwrap().unwrap();
    assert_eq!((mix.sampled_episodes, mix.population_episodes), (0, 3));
}

#[test]
fn without_episodes_there_is_no_mix() {
    let root = tempfile::tempdir().unwrap();
    let mut mixer = PhaseMixer::new(root.path(), 500, 0);
    assert_eq!(mixer.mix().unwrap(), None);
    fs::create_dir(root.path().join("episodes")).unwrap();
    let mix = mixer.mix().unwrap().unwrap();
    assert_eq!((mix.sampled_episodes, mix.population_episodes, mix.total_labels), (0, 0, 0));
}
