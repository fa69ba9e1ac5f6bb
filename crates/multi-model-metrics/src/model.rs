/// A model whose reports are read. `knn` is not among them: it comes from `knn stream`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names say it
pub enum Model {
    Gbt,
    Mlp,
    Cnn,
    KnnSemi,
    Gru,
    Lstm,
    Bert,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Gbt, Self::Mlp, Self::Cnn, Self::KnnSemi, Self::Gru, Self::Lstm, Self::Bert];

    /// The name in file names and on the wall.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gbt => "gbt",
            Self::Mlp => "mlp",
            Self::Cnn => "cnn",
            Self::KnnSemi => "knn_semi",
            Self::Gru => "gru",
            Self::Lstm => "lstm",
            Self::Bert => "bert",
        }
    }

    /// The model of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }
}
