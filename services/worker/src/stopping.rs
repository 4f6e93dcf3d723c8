//! The worker is to stop: no more calls are begun.

use tokio::sync::watch;

/// Shared by everybody who could begin a call.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Sender<bool>);

impl Default for Stopping {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stopping {
    /// From now on no call is begun.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for it.
    pub async fn begun(&self) {
        // The sender lives in `self`, so the channel does not close.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await;
    }
}
