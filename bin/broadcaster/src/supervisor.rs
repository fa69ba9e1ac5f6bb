use std::time::Duration;

use broadcaster::Hub;
use sd_notify::NotifyState;

/// Tells the supervisor (systemd, where it started this process) that pages are served, and goes on telling it
/// that the broadcaster lives, if it asks for that. Elsewhere nothing happens.
pub(crate) fn ready(hub: &Hub) {
    tell(&[NotifyState::Ready]);
    let Some(within) = sd_notify::watchdog_enabled() else { return };
    let hub = hub.clone();
    tokio::spawn(async move {
        // Half the time, as systemd asks; nothing in this process would be on time to the millisecond.
        let mut beats = tokio::time::interval((within / 2).max(Duration::from_millis(1)));
        loop {
            beats.tick().await;
            // Where the hub is stuck, so is this, and the supervisor starts another process.
            hub.head_seq();
            tell(&[NotifyState::Watchdog]);
        }
    });
}

/// Tells the supervisor that the broadcaster stops.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!("the supervisor cannot be told: {error}");
    }
}
