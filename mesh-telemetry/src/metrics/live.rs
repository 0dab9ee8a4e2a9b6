//! What is live state and counted there: published from time to time, never counted twice.

mod bounds;
mod cluster;
mod plane;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use mesh_core::{name::ClusterName, observe::ControlPlane, runtime::ClusterState};

use self::{
    bounds::Bounds,
    cluster::{ClusterHandles, Published, Sum},
    plane::Plane,
};

/// How many clusters are published: those in which something happens first. Each has thirteen series,
/// and those of requests need room too.
const MAX_CLUSTERS: usize = 500;

/// Everything to be published.
#[derive(Debug, Default)]
pub(super) struct Live {
    clusters: HashMap<ClusterName, Cluster>,
    published: usize,
    planes: Vec<Plane>,
    bounds: Bounds,
}

/// The states of one name: each data plane of the process has its own.
#[derive(Debug, Default)]
struct Cluster {
    states: Vec<State>,
    // None as long as nothing happens in it: a control plane may name very many.
    handles: Option<Box<ClusterHandles>>,
}

#[derive(Debug)]
struct State {
    of: Weak<ClusterState>,
    published: Published,
}

impl Live {
    /// Publishes this cluster from now on, until it is gone.
    pub(super) fn watch(&mut self, state: &Arc<ClusterState>) {
        let cluster = self.clusters.entry(state.name().clone()).or_default();
        let mut known = cluster.states.iter();
        if !known.any(|known| std::ptr::eq(known.of.as_ptr(), Arc::as_ptr(state))) {
            // Most processes have one.
            cluster.states.reserve_exact(1);
            cluster.states.push(State {
                of: Arc::downgrade(state),
                published: Published::default(),
            });
        }
    }

    /// Publishes what this client counts from now on, until it is gone.
    pub(super) fn control_plane(&mut self, client: Arc<dyn ControlPlane>) {
        self.planes.push(Plane::new(client));
    }

    pub(super) fn publish(&mut self) {
        let published = &mut self.published;
        self.clusters
            .retain(|name, cluster| cluster.publish(name, published));
        self.planes.retain_mut(Plane::publish);
        self.bounds.publish();
    }
}

impl Cluster {
    /// Whether any of it is left. What is gone is published as nothing a last time.
    fn publish(&mut self, name: &ClusterName, published: &mut usize) -> bool {
        self.states.retain(|state| state.of.strong_count() > 0);
        let states = self.states.iter_mut();
        let live = states.filter_map(|it| Some((it.of.upgrade()?, &mut it.published)));
        let live: Vec<_> = live.collect();
        let mut sum = Sum::default();
        live.iter().for_each(|(state, _)| sum.add(state));
        if self.handles.is_none() && *published < MAX_CLUSTERS && sum.is_active() {
            *published += 1;
            self.handles = Some(Box::new(ClusterHandles::new(name.as_str())));
        }
        let gone = live.is_empty();
        if let Some(handles) = &self.handles {
            handles.set(&sum);
            for (state, counted) in live {
                counted.count(&state, handles);
            }
            *published -= usize::from(gone);
        }
        !gone
    }
}
