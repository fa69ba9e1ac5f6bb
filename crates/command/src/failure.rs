use std::process::ExitCode;

/// How a command ends when it does not end well.
#[derive(Debug)]
pub enum Failure {
    /// The command line asked for something that cannot be: exit code 2.
    Usage(anyhow::Error),
    /// The work could not be done: exit code 1.
    Failed(anyhow::Error),
    /// Stopped on request, cleanly: exit code 130.
    Interrupted,
}

impl Failure {
    /// A usage failure with this message.
    pub fn usage(message: impl std::fmt::Display) -> Self {
        Self::Usage(anyhow::anyhow!("{message}"))
    }

    /// A failure with this message.
    pub fn failed(message: impl std::fmt::Display) -> Self {
        Self::Failed(anyhow::anyhow!("{message}"))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
            Self::Interrupted => ExitCode::from(130),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
