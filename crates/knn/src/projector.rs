use std::{fmt, str::FromStr};

/// How the three axes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Projector {
    /// Largest variance. Knows no phases.
    Pca,
    /// Phases apart from each other.
    #[default]
    Lda,
    /// Neighbours near each other, and phases apart.
    Umap,
}

impl Projector {
    /// The names that [`FromStr`] reads.
    pub const NAMES: [&'static str; 3] = ["pca", "lda", "umap"];
}

/// Not the name of a projector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown projector `{0}`: expected pca, lda or umap")]
pub struct UnknownProjector(String);

impl FromStr for Projector {
    type Err = UnknownProjector;

    fn from_str(name: &str) -> Result<Self, UnknownProjector> {
        match name {
            "pca" => Ok(Self::Pca),
            "lda" => Ok(Self::Lda),
            "umap" => Ok(Self::Umap),
            _ => Err(UnknownProjector(name.to_owned())),
        }
    }
}

impl fmt::Display for Projector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pca => "pca",
            Self::Lda => "lda",
            Self::Umap => "umap",
        })
    }
}
