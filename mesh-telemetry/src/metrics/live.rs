//! What is live state and counted there: published from time to time, never counted twice.

mod cluster;
mod plane;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use mesh_core::{name::ClusterName, observe::ControlPlane, runtime::ClusterState};

use self::{
    cluster::{ClusterHandles, Published},
    plane::Plane,
};

/// Everything to be published.
#[derive(Debug, Default)]
pub(super) struct Live {
    clusters: HashMap<ClusterName, Cluster>,
    planes: Vec<Plane>,
}

/// The states of one name: each data plane of the process has its own.
#[derive(Debug)]
struct Cluster {
    states: Vec<State>,
    handles: ClusterHandles,
}

#[derive(Debug)]
struct State {
    of: Weak<ClusterState>,
    published: Published,
}

impl Live {
    /// Publishes this cluster from now on, until it is gone.
    pub(super) fn watch(&mut self, state: &Arc<ClusterState>) {
        let name = state.name();
        if !self.clusters.contains_key(name) {
            let cluster = Cluster {
                states: Vec::new(),
                handles: ClusterHandles::new(name.as_str()),
            };
            self.clusters.insert(name.clone(), cluster);
        }
        if let Some(cluster) = self.clusters.get_mut(name) {
            let mut known = cluster.states.iter();
            if !known.any(|known| std::ptr::eq(known.of.as_ptr(), Arc::as_ptr(state))) {
                cluster.states.push(State {
                    of: Arc::downgrade(state),
                    published: Published::default(),
                });
            }
        }
    }

    /// Publishes what this client counts from now on, until it is gone.
    pub(super) fn control_plane(&mut self, client: Arc<dyn ControlPlane>) {
        self.planes.push(Plane::new(client));
    }

    pub(super) fn publish(&mut self) {
        self.clusters.retain(|_, cluster| cluster.publish());
        self.planes.retain_mut(Plane::publish);
    }
}

impl Cluster {
    /// Whether any of it is left. What is gone is published as nothing a last time.
    fn publish(&mut self) -> bool {
        let handles = &self.handles;
        let mut sum = cluster::Sum::default();
        self.states.retain_mut(|state| {
            let Some(live) = state.of.upgrade() else {
                return false;
            };
            sum.add(&live);
            state.published.count(&live, handles);
            true
        });
        handles.set(&sum);
        !self.states.is_empty()
    }
}
