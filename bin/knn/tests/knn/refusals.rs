use std::fs;

use crate::run::{file, knn, on_sample, points, sample};

/// Exit code and the error's first line.
fn refusal(args: &[&str]) -> (Option<i32>, String) {
    let ended = knn(args);
    assert_eq!(ended.stdout, "");
    (ended.code, ended.stderr.lines().next().unwrap_or_default().to_owned())
}

fn refusal_on_sample(subcommand: &str, args: &[&str]) -> (Option<i32>, String) {
    let ended = on_sample(subcommand, args);
    assert_eq!(ended.stdout, "");
    (ended.code, ended.stderr.lines().next().unwrap_or_default().to_owned())
}

#[test]
fn wrong_usage_names_the_flag_and_ends_with_2() {
    let ended = on_sample("produce", &["--projector", "tsne"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.starts_with(
            "error: invalid value 'tsne' for '--projector <PROJECTOR>'\n  [possible values: pca, lda, umap]\n"
        ),
        "{}",
        ended.stderr
    );
    let (window, schema) = (&sample()[1], &sample()[3]);
    let (folder, name) = window.rsplit_once('/').unwrap();
    let respelt = format!("{folder}/../{}/{name}", folder.rsplit_once('/').unwrap().1);
    for (subcommand, args, message) in [
        ("produce", &["--k-clusters", "0"][..], "--k-clusters 0: expected 1 to 256"),
        ("produce", &["--k-neighbors", "0"], "--k-neighbors 0: expected 1 to 1000"),
        ("produce", &["--k-neighbors", "1001"], "--k-neighbors 1001: expected 1 to 1000"),
        (
            "produce",
            &["--split-recipe", "time", "--train-hosts", "a"],
            "--train-hosts goes with --split-recipe host, not with time",
        ),
        ("produce", &["--rate-hz=-1"], "--rate-hz -1.0: expected 0 for no limit, or at least 0.001"),
        ("fit-only", &["--fit-out", "/no/where"], "--fit-out /no/where: the folder does not exist"),
        ("fit-only", &["--fit-out", "/"], "--fit-out /: is a folder, expected a file"),
        ("fit-only", &["--fit-out", window], &format!("--fit-out {window}: is an input")),
        (
            "fit-only",
            &["--fit-out", "points", "--model-out", schema],
            &format!("--model-out {schema}: is an input"),
        ),
        (
            "fit-only",
            &["--fit-out", "same", "--model-out", "same"],
            "--model-out same: is the file of --fit-out too",
        ),
        (
            "fit-only",
            &["--fit-out", "same", "--model-out", "../knn/./same"],
            "--model-out ../knn/./same: is the file of --fit-out too",
        ),
        ("fit-only", &["--fit-out", &respelt], &format!("--fit-out {respelt}: is an input")),
    ] {
        assert_eq!(refusal_on_sample(subcommand, args), (Some(2), format!("error: {message}")));
    }
    for (args, message) in [
        (&["--burst-size", "0"][..], "--burst-size 0: expected at least 1"),
        (&["--cycle-pause-s=-1"], "--cycle-pause-s -1.0: expected 0 or more seconds"),
        (&["--rate-hz", "1e-300"], "--rate-hz 1e-300: expected 0 for no limit, or at least 0.001"),
        (
            &["--also-metric", "1.5"],
            "invalid value '1.5' for '--also-metric <F1>': expected a number from 0 to 1, got 1.5",
        ),
        (&["--also-metric", "much"], "invalid value 'much' for '--also-metric <F1>': expected a number"),
        (&["--also-perf-latency-us", "9"], "the following required arguments were not provided:"),
    ] {
        let args = [&["stream", "--load-fit", points()], args].concat();
        assert_eq!(refusal(&args), (Some(2), format!("error: {message}")));
    }
    assert_eq!(refusal_on_sample("fit-only", &[]).0, Some(2));
    let args = ["produce", "--window", window, "--schema", schema, "--split-recipe", "sample"];
    let message =
        "--split-recipe sample needs --validation: the sample_name of every episode is in that table";
    assert_eq!(refusal(&args), (Some(2), format!("error: {message}")));
}

#[test]
fn the_file_behind_a_link_is_not_written_over() {
    let (_folder, link) = file("link.parquet");
    let window = &sample()[1];
    std::os::unix::fs::symlink(window, &link).unwrap();
    let args =
        ["fit-only", "--window", link.to_str().unwrap(), "--schema", &sample()[3], "--fit-out", window];
    assert_eq!(refusal(&args), (Some(2), format!("error: --fit-out {window}: is an input")));
}

#[test]
fn bad_input_is_named_ends_with_1_and_leaves_nothing() {
    let (folder, out) = file("out.parquet");
    let out = out.to_str().unwrap();
    let [_, window, _, schema, ..] = &sample()[..] else { panic!() };
    let half = folder.path().join("half.parquet");
    let whole = fs::read(window).unwrap();
    fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    let half = half.to_str().unwrap();
    let (code, said) = refusal(&["fit-only", "--window", half, "--schema", schema, "--fit-out", out]);
    assert_eq!(code, Some(1));
    assert!(said.starts_with(&format!("error: {half}: not a whole parquet file (")), "{said}");
    let absent = folder.path().join("absent.parquet");
    let absent = absent.to_str().unwrap();
    assert_eq!(
        refusal(&["fit-only", "--window", absent, "--schema", schema, "--fit-out", out]),
        (Some(1), format!("error: {absent}: No such file or directory (os error 2)"))
    );
    assert_eq!(
        refusal_on_sample("fit-only", &["--fit-out", out, "--train-hosts", "nobody"]),
        (
            Some(1),
            format!(
                "error: {window}: no window is of training host `nobody`; \
                 the hosts are bench-1core, bench-2core-busy, bench-nice"
            )
        )
    );
    assert_eq!(
        refusal(&["stream", "--load-fit", window]),
        (Some(1), format!("error: {window}: column `x` is missing"))
    );
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["half.parquet"]);
}
