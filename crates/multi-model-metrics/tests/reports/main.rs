//! Reports on disk, to what a broadcaster holds of them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use broadcaster::{Config, Epoch, Filter, Hub, LogLimits};
use multi_model_metrics::{Model, Pace, Report, watch};
use publisher::{PublishArgs, Publisher};
use tokio::net::TcpListener;

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

fn complaint(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "gbt_eval.json", text);
    let said = Report::read(folder.path(), Model::Gbt).unwrap_err().to_string();
    said.replace(folder.path().to_str().unwrap(), "R")
}

#[test]
fn the_eval_report_wins_and_the_train_report_is_the_fallback() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "gbt_train.json",
        r#"{"macro_f1": 0.9, "latency_us": {"point": 12.5, "low": 1, "high": 20}}"#,
    );
    let report = Report::read(folder.path(), Model::Gbt).unwrap();
    assert_eq!((report.macro_f1.point.get(), report.latency_us.unwrap().get()), (0.9, 12.5));
    write(
        folder.path(),
        "gbt_eval.json",
        r#"{"macro_f1": {"point": 0.5, "low": 0.4, "high": 0.6}, "more": []}"#,
    );
    let report = Report::read(folder.path(), Model::Gbt).unwrap();
    let (low, high) = report.macro_f1.interval.unwrap();
    assert_eq!((report.macro_f1.point.get(), low.get(), high.get()), (0.5, 0.4, 0.6));
    assert_eq!(report.latency_us, None);
}

#[test]
fn a_report_that_cannot_be_used_is_named_with_what_is_wrong() {
    assert_eq!(
        complaint(r#"{"macro_f1": 0.5, "laten"#),
        "R/gbt_eval.json: EOF while parsing a string at line 1 column 24"
    );
    assert_eq!(complaint("{}"), "R/gbt_eval.json: macro_f1: expected a number from 0 to 1, got nothing");
    assert_eq!(
        complaint(r#"{"macro_f1": 1.5}"#),
        "R/gbt_eval.json: macro_f1: expected a number from 0 to 1, got 1.5"
    );
    assert_eq!(
        complaint(r#"{"macro_f1": 0.5, "latency_us": 0}"#),
        "R/gbt_eval.json: latency_us: expected a number greater than 0, got 0"
    );
    assert_eq!(
        complaint(r#"{"macro_f1": {"point": 0.5, "low": 0.6, "high": 0.4}}"#),
        "R/gbt_eval.json: macro_f1: expected low <= high, got low 0.6, high 0.4"
    );
    let folder = tempfile::tempdir().unwrap();
    let said = Report::read(folder.path(), Model::KnnSemi).unwrap_err().to_string();
    assert!(said.ends_with("knn_semi_eval.json nor the train report beside it is there"), "{said}");
}

async fn wall() -> (Hub, Publisher) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/publish", listener.local_addr().unwrap());
    let hub = Hub::new(Epoch::random(), LogLimits::default());
    tokio::spawn(broadcaster::serve(listener, hub.clone(), Config::default(), std::future::pending()));
    let args = PublishArgs { publish_url: url.parse().unwrap(), publish_token: None, dry_run: false };
    (hub, Publisher::open("test", &args).unwrap())
}

fn state(hub: &Hub) -> Vec<String> {
    hub.sticky(Filter::ALL).1.iter().map(|event| String::from_utf8(event.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn one_round_publishes_every_report_that_is_good() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "gbt_eval.json", r#"{"macro_f1": 0.5, "latency_us": 80}"#);
    write(folder.path(), "cnn_eval.json", r#"{"macro_f1": "#);
    write(folder.path(), "bert_train.json", r#"{"macro_f1": {"point": 0.25, "low": 0.1, "high": 0.5}}"#);
    let (hub, publisher) = wall().await;
    let readable = watch(folder.path(), &Model::ALL, Pace::Once, &publisher).await.unwrap();
    assert_eq!(readable, 2);
    assert_eq!(
        state(&hub),
        [
            r#"{"seq":1,"type":"model_metric","model":"gbt","accuracy":0.5}"#,
            r#"{"seq":2,"type":"model_perf","model":"gbt","latency_us":80.0,"accuracy":0.5}"#,
            r#"{"seq":3,"type":"model_metric","model":"bert","accuracy":0.25,"low":0.1,"high":0.5}"#,
        ]
    );
}

#[tokio::test]
async fn on_change_only_what_changed_is_published() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "gbt_eval.json", r#"{"macro_f1": 0.5}"#);
    write(folder.path(), "mlp_eval.json", r#"{"macro_f1": 0.5}"#);
    let (hub, publisher) = wall().await;
    let watching = watch(folder.path(), &Model::ALL, Pace::OnChange(Duration::from_millis(5)), &publisher);
    let changing = async {
        let reach = async |seq| {
            while hub.head_seq() < seq {
                tokio::task::yield_now().await;
            }
        };
        reach(2).await;
        write(folder.path(), "mlp_eval.json", r#"{"macro_f1": 0.75}"#);
        reach(3).await;
        write(folder.path(), "gbt_eval.json", "half a repo");
        write(folder.path(), "lstm_eval.json", r#"{"macro_f1": 0.125}"#);
        reach(4).await;
    };
    tokio::select! {
        ended = watching => panic!("{ended:?}"),
        () = changing => {}
    }
    let state = state(&hub);
    assert!(state[0].contains(r#""gbt","accuracy":0.5"#) && state[1].contains(r#""mlp","accuracy":0.75"#));
    assert!(state[2].contains(r#""seq":4,"type":"model_metric","model":"lstm""#));
}
