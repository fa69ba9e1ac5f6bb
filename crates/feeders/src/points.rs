use std::fmt;

use bytes::Bytes;
use events::{Event, MAX_STEP, MetricPoints, Name, Point, Real};
use runs::{Measured, NO_DEVICE};

/// Points of an event, at most.
const MOST: usize = 10_000;

/// Rows as the lines of a body: neighbours of one series are one event.
#[derive(Debug, Default)]
pub(crate) struct Points {
    lines: Vec<u8>,
    /// The event that is being filled.
    open: Option<MetricPoints<'static>>,
}

/// Why a row is no point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoPoint {
    Value,
    Step,
    Name(&'static str, String),
}

impl Points {
    /// Adds a row.
    pub(crate) fn push(&mut self, row: &Measured<'_>) -> Result<(), NoPoint> {
        if row.step > MAX_STEP {
            return Err(NoPoint::Step);
        }
        let value = Real::new(row.value).map_err(|_| NoPoint::Value)?;
        let time = Real::new(row.time_ms as f64 / 1e3).map_err(|_| NoPoint::Value)?;
        let point = Point(row.step, value, time);
        match &mut self.open {
            Some(open) if open.points.len() < MOST && is_of(open, row) => open.points.push(point),
            _ => {
                let event = event(row, point)?;
                self.close();
                self.open = Some(event);
            }
        }
        Ok(())
    }

    /// Bytes of whole lines.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.len()
    }

    /// What was added since the last time.
    pub(crate) fn take_body(&mut self) -> Bytes {
        self.close();
        std::mem::take(&mut self.lines).into()
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            // Names and finite numbers, into memory: it serializes.
            let _ = serde_json::to_writer(&mut self.lines, &Event::MetricPoints(open));
            self.lines.push(b'\n');
        }
    }
}

fn is_of(event: &MetricPoints<'_>, row: &Measured<'_>) -> bool {
    let is = |name: &Option<Name<'_>>, text: &str| name.as_ref().map_or("", |name| name.as_str()) == text;
    event.metric.as_str() == row.metric
        && event.run_id.as_str() == row.run_id
        && event.rank == Some(row.rank)
        && event.device.unwrap_or(NO_DEVICE) == row.device
        && is(&event.host, row.host)
        && is(&event.unit, row.unit)
}

fn event(row: &Measured<'_>, point: Point) -> Result<MetricPoints<'static>, NoPoint> {
    let name = |field, text: &str| {
        Name::new(text.to_owned()).map_err(|error| NoPoint::Name(field, error.to_string()))
    };
    let some = |field, text: &str| (!text.is_empty()).then(|| name(field, text)).transpose();
    Ok(MetricPoints {
        run_id: name("run_id", row.run_id)?,
        metric: name("metric", row.metric)?,
        points: vec![point],
        host: some("host", row.host)?,
        rank: Some(row.rank),
        device: (row.device != NO_DEVICE).then_some(row.device),
        unit: some("unit", row.unit)?,
    })
}

impl fmt::Display for NoPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value => f.write_str("its value is no finite number"),
            Self::Step => f.write_str("its step is not below 2^53"),
            Self::Name(field, expected) => write!(f, "its {field}: {expected}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use events::{Format, decode};

    use super::*;

    const ROW: Measured<'_> = Measured {
        run_id: "fox",
        metric: "loss",
        host: "",
        rank: 0,
        device: NO_DEVICE,
        unit: "",
        step: 1,
        time_ms: 1_772_000_000_123,
        value: 0.5,
        slot: 0,
    };

    #[test]
    fn neighbours_of_one_series_are_one_event() {
        let mut points = Points::default();
        for row in [
            ROW,
            Measured { step: 2, ..ROW },
            Measured { rank: 1, ..ROW },
            Measured { rank: 1, host: "node", device: 3, unit: "nats", ..ROW },
        ] {
            points.push(&row).unwrap();
        }
        let body = points.take_body();
        let batch = decode(Format::Ndjson, &body, 10).unwrap();
        let of = batch.items.iter().map(|item| match &item.event {
            Event::MetricPoints(of) => {
                (of.points.len(), of.rank, of.host.is_some(), of.device, of.unit.is_some())
            }
            other => panic!("{other:?}"),
        });
        let of: Vec<_> = of.collect();
        assert_eq!(
            of,
            [
                (2, Some(0), false, None, false),
                (1, Some(1), false, None, false),
                (1, Some(1), true, Some(3), true)
            ]
        );
        let Event::MetricPoints(first) = &batch.items[0].event else { panic!() };
        assert_eq!(runs::Point::from(&first.points[0]).time_ms, ROW.time_ms);
        assert!(points.take_body().is_empty());
    }

    #[test]
    fn a_row_that_is_no_point_says_why() {
        let mut points = Points::default();
        let refused = |row: Measured<'_>| points.push(&row).unwrap_err().to_string();
        let long = "x".repeat(300);
        let all = [
            Measured { value: f64::NAN, ..ROW },
            Measured { value: f64::INFINITY, ..ROW },
            Measured { step: 1 << 53, ..ROW },
            Measured { run_id: "", ..ROW },
            Measured { metric: &long, ..ROW },
        ]
        .map(refused);
        assert_eq!(
            all[..3],
            ["its value is no finite number", "its value is no finite number", "its step is not below 2^53"]
        );
        assert!(
            all[3].starts_with("its run_id: expected") && all[4].starts_with("its metric: expected"),
            "{all:?}"
        );
    }
}
