use tokio::sync::watch;

/// The request to stop, seen by every part of a command. Clones share it.
///
/// Numeric work polls [`requested`](Self::requested) between blocks; everything else awaits
/// [`wait`](Self::wait) beside its own work.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A stop and the function that requests it.
    pub fn new() -> (Self, impl Fn() + Send + 'static) {
        let (sender, receiver) = watch::channel(false);
        (Self(receiver), move || {
            sender.send_replace(true);
        })
    }

    /// Whether the stop was requested.
    pub fn requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when the stop is requested. Never returns if it can no longer be.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|requested| *requested).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
