use std::io::Write;
use std::process::ExitCode;

use episodes::{LoadPlan, run_load};

use crate::args::LoadArgs;

impl LoadArgs {
    /// Runs the load of a recorder, on this thread.
    pub(crate) fn run(self) -> ExitCode {
        let plan = LoadPlan { dir: self.dir, profile: self.profile, seed: self.seed };
        match run_load(plan, std::io::stdin(), std::io::stdout()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // The recorder sees that the load ended; a person sees why.
                let _ = writeln!(std::io::stderr(), "error: load: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
