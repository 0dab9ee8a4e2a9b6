//! Where configuration comes from: the seam between an xDS client and the stack.

mod fixed;

use std::{any::Any, fmt, sync::Arc};

use tokio::sync::watch;

pub use fixed::FixedSource;

use crate::{
    config::Snapshot,
    name::{ClusterName, Target},
};

/// Gives the configuration of targets, and goes on giving it as it changes.
pub trait ConfigSource: fmt::Debug + Send + Sync + 'static {
    /// Begins to follow a target. Watches of one target share one subscription; it ends when the
    /// last of them is dropped.
    fn watch(&self, target: &Target) -> ConfigWatch;

    /// An endpoint of this cluster could not be connected to. A source that resolves names may do so
    /// anew; it bounds how often. Default: nothing.
    fn connection_failed(&self, cluster: &ClusterName) {
        let _ = cluster;
    }
}

/// What is known of a target.
#[derive(Clone, Debug)]
pub enum ConfigUpdate {
    /// Nothing usable yet; the text says what is missing, for the error of a request that waits too
    /// long.
    Pending(Arc<str>),
    /// This is in force. A later trouble of the control plane does not take it back.
    Ready(Arc<Snapshot>),
    /// There is no such configuration: its resource does not exist or was deleted, or the target
    /// cannot be served. Requests fail with this text.
    Absent(Arc<str>),
}

/// A view on what is known of one target.
pub struct ConfigWatch {
    updates: watch::Receiver<ConfigUpdate>,
    // Dropped last: ends the subscription.
    subscription: Option<Arc<dyn Any + Send + Sync>>,
}

impl ConfigWatch {
    /// A watch fed by the sender of `updates`; `subscription` lives as long as the watch and its
    /// clones.
    #[must_use]
    pub fn new(
        updates: watch::Receiver<ConfigUpdate>,
        subscription: Option<Arc<dyn Any + Send + Sync>>,
    ) -> Self {
        Self {
            updates,
            subscription,
        }
    }

    /// What is known now; marks it as seen.
    pub fn latest(&mut self) -> ConfigUpdate {
        self.updates.borrow_and_update().clone()
    }

    /// Waits for something not seen yet. `false`: there will be none, the source is gone; what was
    /// known stays in force.
    pub async fn changed(&mut self) -> bool {
        self.updates.changed().await.is_ok()
    }
}

impl Clone for ConfigWatch {
    fn clone(&self) -> Self {
        Self {
            updates: self.updates.clone(),
            subscription: self.subscription.clone(),
        }
    }
}

impl fmt::Debug for ConfigWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigWatch")
            .field("latest", &*self.updates.borrow())
            .finish_non_exhaustive()
    }
}
