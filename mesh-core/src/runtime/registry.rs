//! Where the process's live state is found by name, so that meshes and updates share it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, Weak},
};

use super::{ClusterState, EndpointState};
use crate::{
    config::{ClusterIdentity, EndpointConfig},
    name::{ClusterName, EndpointKey},
    sync::{Mutex, MutexGuard},
};

/// Hands out the state of clusters and endpoints: one per name as long as anybody holds it.
///
/// It keeps nothing alive: state takes its own entry away when it is dropped, so that the registry
/// is exactly as large as what is in use. Clones share one registry.
#[derive(Clone, Default)]
pub struct Registry(Arc<Clusters>);

impl Registry {
    /// The state of the cluster of that name.
    #[must_use]
    pub fn cluster(&self, name: &ClusterName) -> Arc<ClusterState> {
        let mut clusters = self.0.lock();
        if let Some(state) = clusters.get(name).and_then(Weak::upgrade) {
            return state;
        }
        let state = Arc::new(ClusterState::new(name.clone(), Arc::downgrade(&self.0)));
        clusters.insert(name.clone(), Arc::downgrade(&state));
        state
    }

    /// The state of an endpoint of `cluster`, by its address.
    #[must_use]
    pub fn endpoint(
        &self,
        cluster: &Arc<ClusterState>,
        config: &EndpointConfig,
    ) -> Arc<EndpointState> {
        cluster.endpoint(None, config)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clusters = self.0.lock().len();
        f.debug_struct("Registry")
            .field("clusters", &clusters)
            .finish()
    }
}

/// The clusters in use.
#[derive(Default)]
pub(super) struct Clusters(Mutex<HashMap<ClusterName, Weak<ClusterState>>>);

impl Clusters {
    /// A panic while the lock was held cannot have left the map half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<ClusterName, Weak<ClusterState>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes away a dropped cluster's entry, unless a new state has taken its place.
    pub(super) fn forget(&self, name: &ClusterName) {
        let mut clusters = self.lock();
        if clusters.get(name).is_some_and(|it| it.strong_count() == 0) {
            clusters.remove(name);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

/// The endpoints in use of one cluster. Those that are spoken to differently are different: a
/// connection's state says nothing about a connection with other credentials.
#[derive(Default)]
pub(super) struct Endpoints(Mutex<HashMap<Identity, Weak<EndpointState>>>);

/// What tells the state of one endpoint of a cluster from another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub(super) key: EndpointKey,
    pub(super) spoken_to: Option<Arc<ClusterIdentity>>,
}

impl Endpoints {
    fn lock(&self) -> MutexGuard<'_, HashMap<Identity, Weak<EndpointState>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state under `identity`, made by `make` if there is none.
    pub(super) fn get_or_insert(
        &self,
        identity: &Identity,
        make: impl FnOnce() -> EndpointState,
    ) -> Arc<EndpointState> {
        let mut endpoints = self.lock();
        if let Some(state) = endpoints.get(identity).and_then(Weak::upgrade) {
            return state;
        }
        let state = Arc::new(make());
        endpoints.insert(identity.clone(), Arc::downgrade(&state));
        state
    }

    /// Takes away a dropped endpoint's entry, unless a new state has taken its place.
    pub(super) fn forget(&self, identity: &Identity) {
        let mut endpoints = self.lock();
        if endpoints
            .get(identity)
            .is_some_and(|it| it.strong_count() == 0)
        {
            endpoints.remove(identity);
        }
    }

    /// Looks at each that is in use. Whoever ends with the look ends outside the lock, which it takes
    /// itself.
    pub(super) fn each(&self, mut look: impl FnMut(&EndpointState)) {
        let endpoints: Vec<_> = self.lock().values().filter_map(Weak::upgrade).collect();
        endpoints.iter().for_each(|endpoint| look(endpoint));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::config::Address;

    fn endpoint(port: u16) -> EndpointConfig {
        EndpointConfig::new(Address::Socket(SocketAddr::from(([127, 0, 0, 1], port))))
    }

    #[test]
    fn one_state_per_name_while_somebody_holds_it() {
        let registry = Registry::default();
        let name = ClusterName::from("shop");
        let clone = registry.clone();
        let cluster = clone.cluster(&name);
        assert!(Arc::ptr_eq(&cluster, &registry.cluster(&name)));
        let first = registry.endpoint(&cluster, &endpoint(1));
        assert!(Arc::ptr_eq(
            &first,
            &registry.endpoint(&cluster, &endpoint(1))
        ));
        assert!(!Arc::ptr_eq(
            &first,
            &registry.endpoint(&cluster, &endpoint(2))
        ));
        // An endpoint keeps its cluster.
        drop(cluster);
        assert!(Arc::ptr_eq(&first.cluster, &registry.cluster(&name)));
    }

    #[test]
    fn nothing_is_kept_that_nobody_holds() {
        let registry = Registry::default();
        let cluster = registry.cluster(&"shop".into());
        for port in 1..1000 {
            drop(registry.endpoint(&cluster, &endpoint(port)));
        }
        assert_eq!(cluster.endpoints.len(), 0);
        for n in 0..1000 {
            drop(registry.cluster(&format!("cluster {n}").into()));
        }
        assert_eq!(registry.0.len(), 1);
        drop(cluster);
        assert_eq!(registry.0.len(), 0);
    }
}
