use std::process::ExitCode;

use crate::{Failure, LogArgs, Stop};

/// Runs a command's work: starts the log, listens for Ctrl-C and SIGTERM, says how it ended.
///
/// The first signal requests a [`Stop`]; the second ends the process at once, for a person whose
/// command does not stop. Work that returns `Ok` after a stop was requested has stopped cleanly,
/// and whether that counts as done (a server) or as interrupted (a job) is for the work to say.
pub fn run<W, F>(log: &LogArgs, work: W) -> ExitCode
where
    W: FnOnce(Stop) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let outcome = log.start().map_err(|error| Failure::usage(format!("--log-level: {error}")));
    let outcome = outcome.and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let outcome = runtime.block_on(async {
            let (stop, request) = Stop::new();
            tokio::spawn(signals(request)?);
            work(stop).await
        });
        // What still blocks a thread, such as a name that does not resolve, is not waited for.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match &failure {
                Failure::Usage(error) | Failure::Failed(error) => say(error),
                Failure::Interrupted => tracing::info!("stopped"),
            }
            failure.exit_code()
        }
    }
}

fn say(error: &anyhow::Error) {
    use std::io::Write;
    // The last word of a command that failed; a closed standard error changes nothing about that.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
}

fn signals(request: impl Fn() + Send + 'static) -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        let mut asked = false;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if asked {
                std::process::exit(130);
            }
            asked = true;
            request();
        }
    })
}
