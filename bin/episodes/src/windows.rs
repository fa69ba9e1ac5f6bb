use std::io::Write;

use command::{Failure, Stop};
use episodes::{DataRoot, Grid, build_dataset};
use indicatif::ProgressBar;

use crate::args::WindowsArgs;

/// Writes the three files and prints what is in them.
pub(crate) fn windows(args: &WindowsArgs, stop: &Stop) -> Result<(), Failure> {
    let grid = Grid::new(args.window, args.hop).map_err(Failure::usage)?;
    let root = DataRoot::new(&args.root.data_root);
    let bar = ProgressBar::new(0);
    let progress = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let summary = build_dataset(&root, &args.out_dir, grid, &|| stop.requested(), &progress)?;
    bar.finish_and_clear();
    let summary = summary.ok_or(Failure::Interrupted)?;
    writeln!(
        std::io::stdout(),
        "{} windows in {}; episodes: {} accepted, {} degraded, {} rejected",
        summary.windows,
        args.out_dir.display(),
        summary.accepted,
        summary.degraded,
        summary.rejected,
    )?;
    Ok(())
}
