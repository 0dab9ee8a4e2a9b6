//! Ending without failing a request.

use std::time::Duration;

use tokio::sync::watch;

/// How long an HTTP/1.1 connection without a request is kept once draining has begun: a request may
/// be on its way already, and closing then would lose it.
pub(super) const IDLE_GRACE: Duration = Duration::from_secs(1);

/// Begins the draining of all listeners that hold a [`Draining`] of it. Dropping it begins nothing.
#[derive(Debug)]
pub struct Drain(watch::Sender<bool>);

/// Knows when draining begins. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Draining(watch::Receiver<bool>);

impl Drain {
    /// A drain that has not begun, and what listeners need of it.
    #[must_use]
    pub fn new() -> (Self, Draining) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Draining(receiver))
    }

    /// Begins: no more connections are accepted, clients are told to take their next requests
    /// elsewhere, and connections end when what is under way on them has ended.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Draining {
    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it begins; for ever, if its [`Drain`] is dropped before.
    pub async fn begun(&mut self) {
        if self.0.wait_for(|begun| *begun).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
