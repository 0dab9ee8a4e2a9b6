//! What the driver and the sources share.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

use super::registry::Registry;
use crate::driver::{Client, Turned};

/// State behind two locks, which are never held together nor across an await: watches come and go
/// without waiting for a response to be decoded.
#[derive(Debug)]
pub(crate) struct Shared {
    registry: Mutex<Registry>,
    /// Held by the driver while it works, and by whoever asks for the status.
    client: Mutex<Client>,
    wake: Notify,
}

/// Keeps the driver running. Sources and subscriptions hold it; the last one wakes the driver to
/// its end.
#[derive(Debug)]
pub(crate) struct Handle(pub(crate) Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.wake();
    }
}

impl Shared {
    pub(super) fn new(client: Client) -> Self {
        Self {
            registry: Mutex::default(),
            client: Mutex::new(client),
            wake: Notify::new(),
        }
    }

    /// Brings the client up to date with the watches, and the watches with the client.
    pub(crate) fn turn(&self, now: Instant) -> Turned {
        let wanted = self.with_registry(Registry::take_changes);
        let mut turned = self.with_client(|client| {
            if let Some(wanted) = wanted {
                client.watch_only(wanted);
            }
            client.handle_timeout(now);
            client.turn()
        });
        let updates = std::mem::take(&mut turned.updates);
        if !updates.is_empty() {
            self.with_registry(|registry| {
                for (listener, update) in updates {
                    registry.publish(&listener, update);
                }
            });
        }
        turned
    }

    pub(crate) fn with_client<T>(&self, act: impl FnOnce(&mut Client) -> T) -> T {
        // A panic under the lock is a bug; what it left is no worse than having no answer.
        act(&mut self.client.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn with_registry<T>(&self, act: impl FnOnce(&mut Registry) -> T) -> T {
        act(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the driver look again.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits to be woken. A wake that came before is not lost.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// The driver is gone.
    pub(crate) fn close(&self) {
        self.with_registry(Registry::close);
    }
}
