use std::io::Write;

use anyhow::anyhow;
use command::{Failure, Stop};
use episodes::read_episode;

use crate::args::CheckArgs;

/// Prints one line a tarball; fails if any is bad.
pub(crate) fn check(args: &CheckArgs, stop: &Stop) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let mut bad = 0;
    for path in &args.files {
        if stop.requested() {
            return Err(Failure::Interrupted);
        }
        match read_episode(path) {
            Ok(episode) => writeln!(
                out,
                "good {}: {} on {}, {}, {} samples, {} phases",
                path.display(),
                episode.meta.episode_id,
                episode.meta.host_id,
                episode.meta.profile,
                episode.samples.len(),
                episode.labels.len(),
            )?,
            Err(error) => {
                bad += 1;
                writeln!(out, "bad  {error}")?;
            }
        }
    }
    if bad > 0 { Err(anyhow!("{bad} of {} tarballs are bad", args.files.len()).into()) } else { Ok(()) }
}
