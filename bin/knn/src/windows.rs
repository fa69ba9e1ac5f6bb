use std::{fs, io, path::PathBuf, time::SystemTime};

use anyhow::anyhow;
use command::Failure;
use knn::{ProduceError, ProduceParams, Recipe, Source, SplitError, TableError, Validation, WindowTable};

use crate::{args::WindowArgs, progress::Progress};

/// Size and time of every file of a table: another state, another table.
pub(crate) type State = Vec<(u64, SystemTime)>;

/// A window table to read.
pub(crate) struct Windows {
    window: PathBuf,
    schema: PathBuf,
    validation: Option<PathBuf>,
    max_rows: Option<usize>,
}

impl Windows {
    /// The table, how it is parted and told, and the number of threads (0: one a core).
    pub(crate) fn check(args: WindowArgs) -> Result<(Self, ProduceParams, usize), Failure> {
        if args.split_recipe == Recipe::Sample && args.validation.is_none() {
            return Err(Failure::usage(SplitError::NoSamples));
        }
        let params = ProduceParams::default()
            .neighbours(args.k_neighbors)
            .recipe(args.split_recipe)
            .train_hosts(args.train_hosts)
            .seed(args.seed);
        let max_rows = args.max_rows.map(Into::into);
        let windows =
            Self { window: args.window, schema: args.schema, validation: args.validation, max_rows };
        Ok((windows, params, args.threads.map_or(0, Into::into)))
    }

    /// The files that it is read from.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [Some(&self.window), Some(&self.schema), self.validation.as_ref()].into_iter().flatten()
    }

    /// The state of its files.
    pub(crate) fn state(&self) -> io::Result<State> {
        let state = |file: &PathBuf| {
            let file = fs::metadata(file)?;
            Ok((file.len(), file.modified()?))
        };
        self.files().map(state).collect()
    }

    pub(crate) fn read(&self, progress: &Progress) -> Result<WindowTable, Failure> {
        let validation = self.validation.as_deref().map(Validation::read).transpose()?;
        let source = Source {
            window: &self.window,
            schema: &self.schema,
            validation: validation.as_ref(),
            max_rows: self.max_rows,
        };
        WindowTable::read(&source, progress).map_err(|error| match error {
            TableError::Stopped(_) => Failure::Interrupted,
            error => error.into(),
        })
    }

    /// Names the table that nothing could be learned from.
    pub(crate) fn failure(&self, error: ProduceError) -> Failure {
        if error.is_stop() {
            Failure::Interrupted
        } else {
            anyhow!(error).context(self.window.display().to_string()).into()
        }
    }
}
