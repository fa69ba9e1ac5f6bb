use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::data_root::{DataRoot, HostLock};
use crate::live::LiveFile;
use crate::load::{LoadCommand, LoadProcess};
use crate::pending::WriteError;
use crate::phase_plan::PhasePlan;
use crate::sampler::Sampler;
use crate::{Episode, Label, Meta, Name, Profile};

/// What to record.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The load: of an episode after the other, and from the first again.
    pub profiles: Vec<Profile>,
    /// Whose telemetry this is called.
    pub host_id: Name,
    /// How long an episode is.
    pub duration: Duration,
    /// Samples a second.
    pub sample_hz: f64,
    /// Lengths of phases and vigour of the load follow from it; the episodes after the first count up.
    pub seed: u64,
}

/// Why an episode was not recorded. No tarball of it is left.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Outside what an episode may be.
    #[error("{0}")]
    Bounds(String),
    /// The host cannot be recorded into this data root.
    #[error("host {host_id}: {cause}")]
    Host {
        /// The host.
        host_id: Name,
        /// What stands in the way.
        cause: io::Error,
    },
    /// The load did not start, or ended early.
    #[error("load: {0}")]
    Load(io::Error),
    /// The episode could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// An episode holds at most this many samples, 200 MB of JSON.
const MAX_SAMPLES: f64 = 100_000.0;
/// A request to stop is heard within this time.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);
/// The load works this long before the episode begins, so that its start is not in the telemetry.
const WARM_UP: Duration = Duration::from_millis(500);

/// Records episodes of one host, one after another.
pub struct Recorder {
    root: DataRoot,
    recording: Recording,
    load: LoadCommand,
    recorded: u64,
    _lock: HostLock,
}

impl Recorder {
    /// Checks the recording and takes the host.
    ///
    /// # Errors
    /// No profile, less than 1 s, a rate outside 1 to 100 Hz, more than 100,000 samples; another recorder at the
    /// same host; a data root that cannot be written to.
    pub fn new(root: DataRoot, recording: Recording, load: LoadCommand) -> Result<Self, RecordError> {
        let Recording { duration, sample_hz, .. } = recording;
        if recording.profiles.is_empty() {
            return Err(RecordError::Bounds("--profile: expected at least one".to_owned()));
        }
        if duration < Duration::from_secs(1) {
            return Err(RecordError::Bounds(format!("--duration {duration:?}: expected at least 1s")));
        }
        if !(1.0..=100.0).contains(&sample_hz) {
            return Err(RecordError::Bounds(format!("--sample-hz {sample_hz:?}: expected 1 to 100")));
        }
        let samples = duration.as_secs_f64() * sample_hz;
        if samples > MAX_SAMPLES {
            return Err(RecordError::Bounds(format!(
                "--duration {duration:?} at --sample-hz {sample_hz}: {samples:.0} samples; \
                 expected at most {MAX_SAMPLES}"
            )));
        }
        for profile in &recording.profiles {
            episode_id(&recording.host_id, *profile, Timestamp::now())?;
        }
        let lock = root
            .lock(&recording.host_id)
            .map_err(|cause| RecordError::Host { host_id: recording.host_id.clone(), cause })?;
        Ok(Self { root, recording, load, recorded: 0, _lock: lock })
    }

    /// Records one episode and gives its tarball, or nothing when `stop` asked for an end before it was
    /// whole. `progress` hears how much of the episode has passed, 0 to 1.
    ///
    /// # Errors
    /// The load ends early or a file cannot be written.
    pub fn record(
        &mut self,
        stop: &dyn Fn() -> bool,
        progress: &dyn Fn(f64),
    ) -> Result<Option<PathBuf>, RecordError> {
        let seed = self.recording.seed.wrapping_add(self.recorded);
        let profile = self.recording.profiles[self.recorded as usize % self.recording.profiles.len()];
        let Some(episode) = self.observe(profile, seed, stop, progress)? else { return Ok(None) };
        let path = self.root.receive(&episode, Timestamp::now())?;
        self.recorded += 1;
        Ok(Some(path))
    }

    fn observe(
        &self,
        profile: Profile,
        seed: u64,
        stop: &dyn Fn() -> bool,
        progress: &dyn Fn(f64),
    ) -> Result<Option<Episode>, RecordError> {
        let Recording { ref host_id, duration, sample_hz, .. } = self.recording;
        let plan = PhasePlan::draw(duration, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
        let mut load = LoadProcess::start(&self.load, profile, seed).map_err(RecordError::Load)?;
        let mut sampler = Sampler::new(load.id()).map_err(RecordError::Load)?;
        if !sleep_until(Instant::now() + WARM_UP, stop) {
            return Ok(None);
        }

        let started_at = Timestamp::now();
        let start = Instant::now();
        let episode_id = episode_id(host_id, profile, started_at)?;
        let mut labels = vec![Label { t_mono_ns: 0, phase: plan.at(Duration::ZERO) }];
        let mut live = LiveFile::create(&self.root.live(host_id), &episode_id, labels[0])?;
        let mut samples = Vec::new();
        // The last sample is at the very end, so that it closes the last window.
        let ticks = (duration.as_secs_f64() * sample_hz).floor() as u32;
        for tick in 0..=ticks {
            if !sleep_until(start + Duration::from_secs_f64(f64::from(tick) / sample_hz), stop) {
                return Ok(None);
            }
            load.check().map_err(RecordError::Load)?;
            let sample = sampler.sample(nanoseconds(start)).map_err(RecordError::Load)?;
            live.sample(&sample)?;
            samples.push(sample);
            // A phase begins right after a sample: no sample's difference straddles a transition.
            let phase = plan.at(start.elapsed());
            if labels.last().is_none_or(|label| label.phase != phase) {
                load.enter(phase).map_err(RecordError::Load)?;
                let label = Label { t_mono_ns: nanoseconds(start), phase };
                live.label(&episode_id, label)?;
                labels.push(label);
            }
            progress(f64::from(tick) / f64::from(ticks));
        }
        let meta = Meta {
            episode_id,
            host_id: host_id.clone(),
            profile: profile.to_string(),
            sample_name: format!("{profile}-{seed}"),
            started_at_wall: started_at.to_string(),
            ended_mono_ns: nanoseconds(start),
            sample_hz,
            recorder: concat!("vitrine episodes ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        Ok(Some(Episode { meta, labels, samples }))
    }
}

/// Unique within a data root: one recorder a host, and no two episodes in one millisecond.
fn episode_id(host: &Name, profile: Profile, at: Timestamp) -> Result<Name, RecordError> {
    let id = format!("{host}-{profile}-{}{:03}", at.strftime("%Y%m%dT%H%M%S"), at.subsec_millisecond());
    // The host is a name, and so is what follows it, but for the length.
    let most = (host.as_str().len() + Name::MAX_BYTES).saturating_sub(id.len());
    Name::try_from(id).map_err(|_| {
        RecordError::Bounds(format!(
            "--host-id {host}: expected at most {most} characters with --profile {profile}"
        ))
    })
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Sleeps until then; false if `stop` asked for an end.
fn sleep_until(then: Instant, stop: &dyn Fn() -> bool) -> bool {
    loop {
        if stop() {
            return false;
        }
        let left = then.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(LONGEST_SLEEP));
    }
}
