use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// Which columns of a window table are features, in the order of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FeatureSchema {
    /// Distinct, at least one.
    pub feature_names: Vec<String>,
}

/// Why a feature schema could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It could not be opened.
    #[error("{}: {cause}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is not `{"feature_names": [...]}`. The message has line and column.
    #[error("{}: expected {{\"feature_names\": [...]}}: {cause}", path.display())]
    NotASchema {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        cause: serde_json::Error,
    },
    /// It names no feature.
    #[error("{}: `feature_names` is empty: expected at least one feature", path.display())]
    NoFeatures {
        /// The file.
        path: PathBuf,
    },
    /// It names a feature twice.
    #[error("{}: `feature_names` has `{name}` twice: expected distinct names", path.display())]
    Repeated {
        /// The file.
        path: PathBuf,
        /// The feature.
        name: String,
    },
}

impl FeatureSchema {
    /// Reads and checks a schema.
    pub fn read(path: &Path) -> Result<Self, SchemaError> {
        let owned = || path.to_owned();
        let text = fs::read(path).map_err(|cause| SchemaError::Open { path: owned(), cause })?;
        let schema: Self = serde_json::from_slice(&text)
            .map_err(|cause| SchemaError::NotASchema { path: owned(), cause })?;
        if schema.feature_names.is_empty() {
            return Err(SchemaError::NoFeatures { path: owned() });
        }
        let mut seen = HashSet::new();
        match schema.feature_names.iter().find(|name| !seen.insert(name.as_str())) {
            Some(name) => Err(SchemaError::Repeated { path: owned(), name: name.clone() }),
            None => Ok(schema),
        }
    }
}
