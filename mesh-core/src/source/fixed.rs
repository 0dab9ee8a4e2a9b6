//! Configuration that is written down, and changed by hand: for tests, laptops, static lists.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::{ConfigSource, ConfigUpdate, ConfigWatch};
use crate::{config::Snapshot, name::Target};

/// A source of snapshots that the program sets itself.
#[derive(Clone, Debug, Default)]
pub struct FixedSource {
    // Cold path: locked when a target is first asked for or set.
    targets: Arc<Mutex<HashMap<Target, watch::Sender<ConfigUpdate>>>>,
}

impl FixedSource {
    /// A source that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives `target` this configuration from now on.
    pub fn set(&self, target: impl Into<Target>, snapshot: Snapshot) {
        self.update(target.into(), ConfigUpdate::Ready(Arc::new(snapshot)));
    }

    /// Takes `target`'s configuration away, for this reason.
    pub fn remove(&self, target: impl Into<Target>, reason: &str) {
        self.update(target.into(), ConfigUpdate::Absent(reason.into()));
    }

    fn update(&self, target: Target, update: ConfigUpdate) {
        self.with(target, |sender| {
            sender.send_replace(update);
        });
    }

    fn with<T>(&self, target: Target, act: impl FnOnce(&watch::Sender<ConfigUpdate>) -> T) -> T {
        // A panic while the lock was held cannot have left the map half-changed.
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        act(targets.entry(target).or_insert_with_key(|target| {
            let text = format!("no configuration was set for target {target}");
            watch::Sender::new(ConfigUpdate::Pending(text.into()))
        }))
    }
}

impl ConfigSource for FixedSource {
    fn watch(&self, target: &Target) -> ConfigWatch {
        ConfigWatch::new(self.with(target.clone(), watch::Sender::subscribe), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        Address, ClusterConfig, Dialect, Discovery, EndpointsConfig, SnapshotBuilder,
    };

    fn snapshot() -> Snapshot {
        let address = Address::Socket(([127, 0, 0, 1], 1).into());
        let endpoints = Discovery::Static(EndpointsConfig::of([address]).into());
        let cluster = ClusterConfig::new("only", endpoints, Dialect::Envoy);
        SnapshotBuilder::new("listener")
            .cluster(cluster)
            .build()
            .unwrap()
    }

    #[tokio::test]
    async fn a_watch_sees_what_is_set_before_and_after_it() {
        let source = FixedSource::new();
        let mut early = source.watch(&"shop".into());
        assert!(matches!(early.latest(), ConfigUpdate::Pending(text) if text.contains("shop")));
        source.set("shop", snapshot());
        assert!(early.changed().await);
        assert!(matches!(early.latest(), ConfigUpdate::Ready(_)));
        source.remove("shop", "gone");
        let late = source.watch(&"shop".into()).latest();
        assert!(matches!(late, ConfigUpdate::Absent(text) if &*text == "gone"));
    }

    #[tokio::test]
    async fn a_watch_learns_that_its_source_is_gone() {
        let source = FixedSource::new();
        let mut watch = source.watch(&"shop".into());
        drop(source);
        assert!(!watch.changed().await);
    }
}
