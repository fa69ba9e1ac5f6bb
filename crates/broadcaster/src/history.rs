use std::time::SystemTime;

use bytes::Bytes;
use events::RunMeta;
use http::Response;
use jiff::Timestamp as Moment;
use runs::{History, Metrics, Point, Query, Store, View};

use crate::budget::Budget;
use crate::problem::Problem;
use crate::state::json_response;

/// Points of a series, at most, where nobody says how many.
const MOST: usize = 2_000;
/// The most that somebody may say.
const LIMIT: usize = 100_000;
/// Points of an answer.
const TOTAL: usize = 5_000_000;
/// What checkpoints are called.
const CHECKPOINTS: &str = "checkpoint_";

/// `GET /runs`: every run.
pub(crate) async fn runs(store: &dyn Store, answers: &Budget) -> Result<Response<Bytes>, Problem> {
    let spans = store.runs().await?;
    let now = now_ms();
    let runs: Vec<RunMeta<'_>> = spans.iter().filter_map(|(run, span)| span.meta(run, now)).collect();
    // Names, times and numbers: they serialize.
    let json = serde_json::to_vec(&runs).unwrap_or_default();
    Ok(json_response(answers.hold(json.into())?))
}

/// `GET /metrics/{run_id}`: series of a run, by metric.
pub(crate) async fn metrics(
    store: &dyn Store,
    run_id: &str,
    query: Option<&str>,
    answers: &Budget,
) -> Result<Response<Bytes>, Problem> {
    answer(store, parse(run_id, query)?, answers).await
}

/// `GET /checkpoints/{run_id}`: those of its metrics that are of checkpoints.
pub(crate) async fn checkpoints(
    store: &dyn Store,
    run_id: &str,
    query: Option<&str>,
    answers: &Budget,
) -> Result<Response<Bytes>, Problem> {
    let query = Query { metrics: Metrics::Beginning(CHECKPOINTS.to_owned()), ..parse(run_id, query)? };
    answer(store, query, answers).await
}

async fn answer(store: &dyn Store, query: Query, answers: &Budget) -> Result<Response<Bytes>, Problem> {
    let run_id = query.run_id.clone();
    let history = store.history(query).await?;
    let history = history.ok_or_else(|| Problem::NotFound(format!("no run {run_id:?}")))?;
    Ok(json_response(answers.hold(json(&history).into())?))
}

/// `{metric: [[step, value, unix_s], ...]}`
pub(crate) fn json(history: &History) -> Vec<u8> {
    let series = history.iter().map(|(metric, points)| {
        let points: Vec<_> = points.iter().map(|point| (point.step, point.value, point.unix_s())).collect();
        (metric, points)
    });
    // Names and finite numbers: they serialize.
    serde_json::to_vec(&series.collect::<std::collections::BTreeMap<_, _>>()).unwrap_or_default()
}

fn parse(run_id: &str, query: Option<&str>) -> Result<Query, Problem> {
    let wrong = |name: &str, expected: &str, got: &str| {
        Problem::BadRequest(format!("query {name}: expected {expected}, got {got:?}"))
    };
    let mut parsed = Query { total: TOTAL, ..Query::all(run_id, MOST) };
    let (mut steps, mut times) = ((0, u64::MAX), (i64::MIN, i64::MAX));
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let step = || value.parse().map_err(|_| wrong(&name, "a step", &value));
        let time =
            || time_ms(&value).ok_or_else(|| wrong(&name, "seconds since 1970, or an RFC 3339 time", &value));
        match &*name {
            "metric" => parsed.metrics = Metrics::Named(value.into_owned()),
            "from_step" => steps.0 = step()?,
            "to_step" => steps.1 = step()?,
            "from_time" => times.0 = time()?,
            "to_time" => times.1 = time()?,
            "max_points" => {
                let most = value.parse().ok().filter(|most| (4..=LIMIT).contains(most));
                parsed.most = most.ok_or_else(|| wrong(&name, "4 to 100000", &value))?;
            }
            "decimate" => {
                parsed.view = match &*value {
                    "minmax" => View::Peaks,
                    "lttb" => View::Triangles,
                    _ => return Err(wrong(&name, "minmax or lttb", &value)),
                }
            }
            // What other parts of a system put behind an address is not ours to refuse.
            _ => {}
        }
    }
    if steps.0 > steps.1 {
        return Err(Problem::BadRequest(format!("from_step {} is past to_step {}", steps.0, steps.1)));
    }
    if times.0 > times.1 {
        return Err(Problem::BadRequest("from_time is past to_time".to_owned()));
    }
    (parsed.steps, parsed.times_ms) = (steps.0..=steps.1, times.0..=times.1);
    Ok(parsed)
}

fn time_ms(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        // As the times of points are rounded.
        return Some(Point::new(0, 0.0, seconds)?.time_ms);
    }
    Some(text.parse::<Moment>().ok()?.as_millisecond())
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
