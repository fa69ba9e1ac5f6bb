use episodes::Phase;

/// The phase that a page shows for the phase of a window: a recorder that failed is a class of its
/// own in the window table, and dormant to everybody who watches.
pub(crate) const fn shown(phase: Phase) -> events::Phase {
    match phase {
        Phase::Clean => events::Phase::Clean,
        Phase::Armed => events::Phase::Armed,
        Phase::Infecting => events::Phase::Infecting,
        Phase::InfectedRunning => events::Phase::InfectedRunning,
        Phase::Dormant | Phase::Failed => events::Phase::Dormant,
    }
}
