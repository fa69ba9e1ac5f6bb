use crate::run::on_sample;

#[test]
fn the_f1_on_the_hosts_held_out_is_published_once_with_its_interval_and_the_latency() {
    let ended = on_sample("metric", &["--dry-run", "--interval", "0"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let events = ended.events();
    assert_eq!(events.len(), 2);
    let metric = &events[0];
    assert_eq!((metric["type"].as_str(), metric["model"].as_str()), (Some("model_metric"), Some("knn")));
    let number = |field: &str| metric[field].as_f64().unwrap();
    assert!(number("low") <= number("accuracy") && number("accuracy") <= number("high"));
    assert!(number("accuracy") > 0.8);
    let cost = &events[1];
    assert_eq!((cost["type"].as_str(), &cost["accuracy"]), (Some("model_perf"), &metric["accuracy"]));
    assert!(cost["latency_us"].as_f64().unwrap() > 0.0);
}

#[test]
fn it_learns_from_less_than_a_fit_which_also_has_the_validation_windows() {
    let f1 = |command: &str, args: &[&str]| {
        let events = on_sample(command, args).events();
        events.into_iter().find(|event| event["type"] == "model_metric").unwrap()["accuracy"].clone()
    };
    assert_ne!(f1("metric", &["--dry-run", "--interval", "0"]), f1("produce", &["--dry-run"]));
}

#[test]
fn an_interval_that_is_no_time_is_refused_by_name() {
    let ended = on_sample("metric", &["--dry-run", "--interval=-1"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--interval"), "{}", ended.stderr);
}
