//! Looking after a pool's idle connections.

use std::{future::poll_fn, sync::Weak, task::Poll};

use tokio::sync::watch;

use super::core::Core;
use crate::clock;

/// Lets go of idle connections that their peers have closed, or that have been idle for too long. One
/// for a pool, as long as it has connections.
#[derive(Debug)]
pub(super) struct Keeper {
    core: Weak<Core>,
}

impl Keeper {
    pub(super) const fn new(core: Weak<Core>) -> Self {
        Self { core }
    }

    /// Ends with the pool's last connection, or when all who are `alive` with the pool end.
    pub(super) async fn run(mut self, mut alive: watch::Receiver<()>) {
        while let Some(expiry) = self.core.upgrade().map(|core| core.reap()) {
            tokio::select! {
                _ = alive.changed() => return,
                () = self.closed() => {
                    // The pool may have another keeper by now.
                    self.core = Weak::new();
                    return;
                }
                () = clock::sleep_until(expiry) => {}
            }
        }
    }

    /// Lets go of connections as their peers close them, until there are none.
    async fn closed(&self) {
        poll_fn(|cx| match self.core.upgrade() {
            Some(core) => core.poll_closed(cx),
            None => Poll::Ready(()),
        })
        .await;
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Also if its task is dropped: nobody would learn how those left end.
        if let Some(core) = self.core.upgrade() {
            core.abandon();
        }
    }
}
