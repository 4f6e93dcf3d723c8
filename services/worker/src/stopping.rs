//! The worker is to stop: no more calls are begun.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Ends when the process is asked to stop: SIGTERM by a service manager, SIGINT by Ctrl-C. Signals
/// count from the call of this function on.
///
/// # Errors
/// Where the system does not let us listen.
pub fn told_by_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
    })
}

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
