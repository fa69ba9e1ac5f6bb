use episodes::{Label, Phase};

/// A part of the envelope, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// Clean, before anything else.
    CleanLead,
    /// Something is in place and waits.
    Armed,
    /// It is taking hold.
    Infecting,
    /// It runs, or rests between runs: `dormant` counts as this.
    InfectedRunning,
    /// Clean again, until the end.
    CleanTail,
}

impl Section {
    /// All, in order.
    pub const ALL: [Self; 5] =
        [Self::CleanLead, Self::Armed, Self::Infecting, Self::InfectedRunning, Self::CleanTail];

    /// Its points; 80 together.
    pub const fn budget(self) -> usize {
        match self {
            Self::CleanLead | Self::Infecting => 10,
            Self::Armed => 5,
            Self::InfectedRunning => 40,
            Self::CleanTail => 15,
        }
    }

    /// Its name in the table and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CleanLead => "clean_lead",
            Self::Armed => "armed",
            Self::Infecting => "infecting",
            Self::InfectedRunning => "infected_running",
            Self::CleanTail => "clean_tail",
        }
    }

    /// The section of each label's phase; `None` of one that is clean between others, and of a run that failed.
    pub(crate) fn of(labels: &[Label]) -> Vec<Option<Self>> {
        let is_clean = |label: &Label| label.phase == Phase::Clean;
        let lead = labels.iter().take_while(|label| is_clean(label)).count();
        let tail = labels.len() - labels.iter().rev().take_while(|label| is_clean(label)).count();
        let section = |(number, label): (usize, &Label)| match label.phase {
            Phase::Clean if number < lead => Some(Self::CleanLead),
            Phase::Clean if number >= tail => Some(Self::CleanTail),
            Phase::Clean | Phase::Failed => None,
            Phase::Armed => Some(Self::Armed),
            Phase::Infecting => Some(Self::Infecting),
            Phase::InfectedRunning | Phase::Dormant => Some(Self::InfectedRunning),
        };
        labels.iter().enumerate().map(section).collect()
    }
}
