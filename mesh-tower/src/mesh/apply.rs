//! From snapshots to live clusters.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use mesh_core::{
    config::{ClusterSnapshot, Snapshot},
    entropy::Entropy,
    filter::FilterRegistry,
    name::ClusterName,
    observe::{Observer, Several},
    runtime::{ClusterRuntime, Registry, View},
};
use tokio::sync::{Notify, mpsc};

use super::target::TargetCell;
use crate::{
    clock,
    connect::{Pool, Pools},
};

/// A live cluster.
pub(super) type Cluster = ClusterRuntime<Pool>;

/// The live clusters of a mesh, by name: targets that use the same cluster share it.
#[derive(Debug)]
pub(super) struct Clusters {
    // Cold path: locked while a snapshot is applied.
    live: Mutex<HashMap<ClusterName, Live>>,
    registry: Registry,
    pools: Pools,
    filters: FilterRegistry,
    observers: Several,
    entropy: Entropy,
    // To the driver, which connects and reconnects.
    started: mpsc::UnboundedSender<Started>,
}

/// A cluster that the driver is to keep connected, from now on.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) cluster: Weak<Cluster>,
    /// Told when the cluster was given other endpoints or another policy.
    pub(super) updated: Arc<Notify>,
}

/// A live cluster and the configuration that it was last given.
#[derive(Debug)]
struct Live {
    cluster: Weak<Cluster>,
    given: ClusterSnapshot,
    updated: Arc<Notify>,
}

impl Clusters {
    pub(super) fn new(
        pools: Pools,
        registry: Registry,
        filters: FilterRegistry,
        observers: Several,
        entropy: Entropy,
        started: mpsc::UnboundedSender<Started>,
    ) -> Self {
        Self {
            live: Mutex::default(),
            registry,
            pools,
            filters,
            observers,
            entropy,
            started,
        }
    }

    pub(super) const fn observers(&self) -> &Several {
        &self.observers
    }

    pub(super) const fn pools(&self) -> &Pools {
        &self.pools
    }

    pub(super) fn draw(&self) -> u64 {
        self.entropy.draw()
    }

    /// Brings the clusters of `snapshot` up to date, and puts a new view in force if anything but
    /// endpoints and cluster policy differs from the one in force. `applied` is the snapshot that this
    /// was done for last: what is the same there is not looked at.
    pub(super) fn apply(
        &self,
        target: &TargetCell,
        applied: Option<&Snapshot>,
        snapshot: &Snapshot,
    ) {
        let before = target.view();
        if let (Some(before), Some(applied)) = (&before, applied)
            && before.refresh(applied, snapshot, |given| self.live(given))
        {
            return;
        }
        let view = View::build(
            snapshot,
            &self.filters,
            before.as_deref(),
            |given| self.live(given),
            |cluster| self.observers.watch(target.name(), cluster),
        );
        if before.is_some_and(|before| before.same(&view)) {
            return;
        }
        target.publish(Arc::new(view));
        self.forget_unused();
    }

    /// The live cluster for this configuration: the one that is there, updated, or a new one when
    /// its endpoints would have to be spoken to in another way.
    fn live(&self, given: &ClusterSnapshot) -> Arc<Cluster> {
        let name = &given.config.name;
        // A panic while the lock was held cannot have left the map half-changed.
        let mut clusters = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(live) = clusters.get_mut(name)
            && let Some(cluster) = live.cluster.upgrade()
            && live.given.config.same_identity(&given.config)
        {
            if !live.given.same(given) {
                cluster.update(given, clock::now());
                live.given = given.clone();
                live.updated.notify_one();
            }
            return cluster;
        }
        let cluster = Arc::new(ClusterRuntime::new(given, &self.registry, clock::now()));
        let (weak, updated) = (Arc::downgrade(&cluster), Arc::<Notify>::default());
        let live = Live {
            cluster: Weak::clone(&weak),
            given: given.clone(),
            updated: Arc::clone(&updated),
        };
        clusters.insert(name.clone(), live);
        // Fails when the driver is gone; then no target gets here.
        let _ = self.started.send(Started {
            cluster: weak,
            updated,
        });
        cluster
    }

    /// Forgets clusters that no view and no request holds.
    fn forget_unused(&self) {
        let mut clusters = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        clusters.retain(|_, live| live.cluster.strong_count() > 0);
    }
}
