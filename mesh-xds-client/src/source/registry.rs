//! Which listeners are watched, and by whom.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};

use mesh_core::source::{ConfigUpdate, ConfigWatch};
use tokio::sync::watch;

use super::shared::Handle;
use crate::protocol::canonical;

/// The watched listeners, by canonical name.
#[derive(Debug, Default)]
pub(super) struct Registry {
    entries: HashMap<Arc<str>, Entry>,
    /// Whether the driver is still to look.
    changed: bool,
    closed: bool,
}

#[derive(Debug)]
struct Entry {
    updates: watch::Sender<ConfigUpdate>,
    subscription: Weak<Subscription>,
    /// Whether the driver has seen it: then it is the driver that takes it out, so that one who
    /// comes back before that finds it with all that is known.
    seen: bool,
}

/// Lives as long as any watch of a listener; keeps the driver running.
#[derive(Debug)]
struct Subscription {
    listener: Arc<str>,
    handle: Arc<Handle>,
}

/// Begins or shares the watch of a listener.
pub(super) fn watch(handle: &Arc<Handle>, listener: &str) -> ConfigWatch {
    let listener: Arc<str> = canonical(listener).into();
    let watch = handle.0.with_registry(|registry| {
        if registry.closed {
            let text = "the xDS driver has ended: nothing more will come from this source";
            let (_, updates) = watch::channel(ConfigUpdate::Pending(text.into()));
            return ConfigWatch::new(updates, None);
        }
        let entry = registry.entries.entry(Arc::clone(&listener));
        let entry = entry.or_insert_with(|| Entry {
            updates: watch::Sender::new(ConfigUpdate::Pending(
                format!("waiting for Listener {listener:?}: the xDS driver does not run yet")
                    .into(),
            )),
            subscription: Weak::new(),
            seen: false,
        });
        let subscription = entry.subscription.upgrade().unwrap_or_else(|| {
            let subscription = Arc::new(Subscription {
                listener,
                handle: Arc::clone(handle),
            });
            entry.subscription = Arc::downgrade(&subscription);
            subscription
        });
        registry.changed = true;
        ConfigWatch::new(entry.updates.subscribe(), Some(subscription))
    });
    handle.0.wake();
    watch
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.handle.0.with_registry(|registry| {
            let Some(entry) = registry.entries.get(&self.listener) else {
                return;
            };
            // Another may have been made since the last watch of this one went.
            if entry.subscription.strong_count() > 0 {
                return;
            }
            if entry.seen {
                registry.changed = true;
            } else {
                registry.entries.remove(&self.listener);
            }
        });
        self.handle.0.wake();
    }
}

impl Registry {
    /// The listeners that are watched now, if that may have changed; forgets the others.
    pub(super) fn take_changes(&mut self) -> Option<HashSet<Arc<str>>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        self.entries
            .retain(|_, entry| entry.subscription.strong_count() > 0);
        for entry in self.entries.values_mut() {
            entry.seen = true;
        }
        Some(self.entries.keys().cloned().collect())
    }

    /// Tells the watches of a listener.
    pub(super) fn publish(&self, listener: &str, update: ConfigUpdate) {
        if let Some(entry) = self.entries.get(listener) {
            entry.updates.send_replace(update);
        }
    }

    /// Whether the driver has ended.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// There will be nothing more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.entries.clear();
    }
}
