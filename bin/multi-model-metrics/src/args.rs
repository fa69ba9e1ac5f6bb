use std::path::PathBuf;
use std::time::Duration;

use multi_model_metrics::Model;
use publisher::PublishArgs;

/// Publishes how good and how fast each model is, out of the reports that its training left.
///
/// Reads <MODEL>_eval.json, or <MODEL>_train.json where there is none, of gbt, mlp, cnn, knn_semi,
/// gru, lstm and bert.
///
/// Example: multi-model-metrics --reports data/reports --tick 5s
#[derive(Debug, clap::Parser)]
#[command(name = "multi-model-metrics", version, verbatim_doc_comment)]
pub(crate) struct Args {
    /// The folder with the reports
    #[arg(long, value_name = "DIR")]
    pub(crate) reports: PathBuf,

    /// How often to look, such as 5s or 500ms
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = tick)]
    pub(crate) tick: Duration,

    /// Publish a report only when it changes, and every 30 s
    #[arg(long, conflicts_with = "once")]
    pub(crate) on_change: bool,

    /// Publish every report once, then end
    #[arg(long)]
    pub(crate) once: bool,

    /// Only these models
    #[arg(long, value_name = "MODEL,...", value_delimiter = ',', value_parser = model)]
    pub(crate) models: Vec<Model>,

    #[command(flatten)]
    pub(crate) publish: PublishArgs,

    #[command(flatten)]
    pub(crate) log: command::LogArgs,
}

fn tick(text: &str) -> Result<Duration, String> {
    match command::parse_duration(text)? {
        Duration::ZERO => Err("expected more than 0".to_owned()),
        tick => Ok(tick),
    }
}

fn model(name: &str) -> Result<Model, String> {
    let names = Model::ALL.map(Model::name).join(", ");
    Model::from_name(name).ok_or(format!("expected some of {names}"))
}
