//! What the process knows of a cluster: how much is under way in it, and that something changed.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use crate::{
    config::{ClusterIdentity, EndpointConfig},
    name::ClusterName,
    runtime::{
        Connectivity, EndpointState,
        limit::{Gauge, Reached},
        registry::{Clusters, Endpoints, Identity},
    },
    sync::{
        atomic::{AtomicU64, Ordering},
        watch,
    },
};

/// The live state of one cluster, shared by all meshes and workers of the process.
pub struct ClusterState {
    name: ClusterName,
    pub(in crate::runtime) requests: Gauge,
    pub(in crate::runtime) pending: Gauge,
    pub(in crate::runtime) connections: Gauge,
    pub(in crate::runtime) retries: Gauge,
    pub(in crate::runtime) reached: Reached,
    pub(in crate::runtime) endpoints: Endpoints,
    pub(in crate::runtime) failures: AtomicU64,
    pub(in crate::runtime) ready: AtomicU64,
    changes: watch::Sender<u64>,
    home: Weak<Clusters>,
}

impl ClusterState {
    pub(in crate::runtime) fn new(name: ClusterName, home: Weak<Clusters>) -> Self {
        Self {
            name,
            requests: Gauge::default(),
            pending: Gauge::default(),
            connections: Gauge::default(),
            retries: Gauge::default(),
            reached: Reached::default(),
            endpoints: Endpoints::default(),
            failures: AtomicU64::new(0),
            ready: AtomicU64::new(0),
            changes: watch::Sender::new(0),
            home,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ClusterName {
        &self.name
    }

    /// Requests under way, those that wait for a connection included.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.requests.get()
    }

    /// Requests that wait for a connection.
    #[must_use]
    pub fn pending(&self) -> u32 {
        self.pending.get()
    }

    /// Connections.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.connections.get()
    }

    /// Retries under way.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.retries.get()
    }

    /// How often an endpoint of it could not be connected to.
    #[must_use]
    pub fn connect_failures(&self) -> u64 {
        // Relaxed: a count, nothing is published by it.
        self.failures.load(Ordering::Relaxed)
    }

    /// How many of its endpoints are ready.
    #[must_use]
    pub fn ready_endpoints(&self) -> u64 {
        // Relaxed: a count, of use to those who were told of a change, which synchronizes by itself.
        self.ready.load(Ordering::Relaxed)
    }

    /// How many of its endpoints are in each state, in the order of [`Connectivity::ALL`]. Looks at
    /// each of them.
    #[must_use]
    pub fn endpoints_by_state(&self) -> [usize; Connectivity::ALL.len()] {
        let mut counts = [0; Connectivity::ALL.len()];
        self.endpoints.each(|endpoint| {
            counts[endpoint.connectivity() as usize] += 1;
        });
        counts
    }

    /// A number that grows whenever the connectivity of one of its endpoints changes: a reason to
    /// call [`ClusterRuntime::rebuild`](super::ClusterRuntime::rebuild).
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(in crate::runtime) fn bump(&self) {
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The state of an endpoint that is spoken to in that way.
    pub(in crate::runtime) fn endpoint(
        self: &Arc<Self>,
        spoken_to: Option<&Arc<ClusterIdentity>>,
        config: &EndpointConfig,
    ) -> Arc<EndpointState> {
        let identity = Identity {
            key: config.key(),
            spoken_to: spoken_to.cloned(),
        };
        self.endpoints.get_or_insert(&identity, || {
            EndpointState::new(identity.clone(), config.address.clone(), Arc::clone(self))
        })
    }
}

impl Drop for ClusterState {
    fn drop(&mut self) {
        if let Some(home) = self.home.upgrade() {
            home.forget(&self.name);
        }
    }
}

impl fmt::Debug for ClusterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterState")
            .field("name", &self.name)
            .field("in_flight", &self.in_flight())
            .field("pending", &self.pending())
            .field("connections", &self.connections())
            .field("retries", &self.retries())
            .finish_non_exhaustive()
    }
}
