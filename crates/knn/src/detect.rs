//! Publishing what a fit says of windows as they are recorded.

use events::{Embedding, LiveDetection, Name, Phase, Positive, Prediction, Real, Timestamp, Unit};
use publisher::Publisher;

use crate::{
    detector::Detection,
    follow::Recorded,
    phase::shown,
    stream::{MODEL, StreamError, name},
};

impl Recorded {
    /// Publishes a `prediction`, if its episode is known, and a `live_detection`, unless it is past; with `point`, also an
    /// `embedding`, if its phase is known.
    pub async fn publish(
        &self,
        detection: &Detection,
        point: bool,
        publisher: &Publisher,
    ) -> Result<(), StreamError> {
        let host_id = name("host_id", self.host.as_str())?;
        let episode_id = match &self.episode {
            Some(episode) => Some(name("episode_id", episode.as_str())?),
            None => None,
        };
        let model = name("model", MODEL)?;
        let predicted = shown(detection.vote.phase);
        let phase = self.phase.map(shown);
        let confidence = unit(detection.vote.confidence)?;
        let window_idx = u64::from(self.window.idx);
        if let Some(episode_id) = episode_id.clone() {
            let prediction = Prediction {
                episode_id,
                window_idx,
                model: model.clone(),
                predicted,
                phase,
                confidence: Some(confidence),
                host_id: Some(host_id.clone()),
                t_s: Real::new(self.window.t_s).ok(),
            };
            publisher.send(prediction).await?;
        }
        if !self.is_past {
            let wrong = |error: &dyn std::fmt::Display| StreamError::Time { reason: error.to_string() };
            let at = jiff::Timestamp::try_from(self.ended).map_err(|error| wrong(&error))?;
            let live = LiveDetection {
                host_id: host_id.clone(),
                predicted,
                confidence,
                model,
                at: Timestamp::new(format!("{at:.3}")).map_err(|error| wrong(&error))?,
                episode_id: episode_id.clone(),
                window_idx: Some(window_idx),
                phase,
                latency_us: self
                    .ended
                    .elapsed()
                    .ok()
                    .and_then(|ago| Positive::new(ago.as_secs_f64() * 1e6).ok()),
            };
            publisher.send(live).await?;
        }
        if let Some(phase) = phase.filter(|_| point) {
            publisher.send(self.embedding(detection, phase, host_id, episode_id)?).await?;
        }
        Ok(())
    }

    fn embedding<'a>(
        &self,
        detection: &Detection,
        phase: Phase,
        host_id: Name<'a>,
        episode_id: Option<Name<'a>>,
    ) -> Result<Embedding<'a>, StreamError> {
        let [x, y, z] = detection.place.map(|place| unit(place.into()));
        let cluster = detection.cluster;
        Ok(Embedding {
            x: x?,
            y: y?,
            z: z?,
            phase,
            predicted: shown(detection.vote.phase),
            cluster: u8::try_from(cluster).map_err(|_| StreamError::Cluster { row: 0, cluster })?.into(),
            episode_id,
            window_idx: Some(self.window.idx.into()),
            host_id: Some(host_id),
            profile: None,
        })
    }
}

fn unit(share: f64) -> Result<Unit, StreamError> {
    Unit::new(share).map_err(|error| StreamError::Share { reason: error.to_string() })
}
