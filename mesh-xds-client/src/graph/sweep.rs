//! Mark and sweep: what can be reached from the targets is needed, the rest goes.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use super::{Graph, Turn, cluster::ClusterNode};
use crate::{protocol::canonical, resource::ResourceType};

/// Names of resources, by kind.
#[derive(Debug, Default)]
pub(crate) struct Names([HashSet<Arc<str>>; ResourceType::ALL.len()]);

impl Names {
    fn insert(&mut self, kind: ResourceType, name: &Arc<str>) {
        self.0[kind as usize].insert(Arc::clone(name));
    }

    fn remove(&mut self, kind: ResourceType, name: &Arc<str>) {
        self.0[kind as usize].remove(name);
    }

    pub(super) fn contains(&self, kind: ResourceType, name: &Arc<str>) -> bool {
        self.0[kind as usize].contains(name)
    }

    /// What is here and not in `other`; sorted, so that requests are the same in every run.
    fn without(&self, other: &Self) -> Vec<(ResourceType, Arc<str>)> {
        let kinds = ResourceType::ALL.into_iter();
        let mut names: Vec<_> = kinds
            .flat_map(|kind| {
                let names = self.0[kind as usize].difference(&other.0[kind as usize]);
                names.map(move |name| (kind, Arc::clone(name)))
            })
            .collect();
        names.sort_unstable();
        names
    }
}

impl Graph {
    /// Finds what is needed now, forgets the rest, and notes the difference in `turn`. A name that
    /// was refused is tried again each time: there may be room for it now.
    pub(super) fn sweep(&mut self, turn: &mut Turn) {
        let needed = self.mark();
        self.clusters.retain(|_, node| !node.users.is_empty());
        self.tables
            .sweep(|name| needed.contains(ResourceType::RouteConfig, name));
        self.refused
            .retain(|(kind, name), _| needed.contains(*kind, name));
        turn.unsubscribe = self.subscribed.without(&needed);
        turn.subscribe = needed.without(&self.subscribed);
        for (kind, name) in self.refused.keys() {
            turn.subscribe.push((*kind, Arc::clone(name)));
        }
        turn.subscribe.sort_unstable();
        turn.subscribe.dedup();
        self.subscribed = needed;
    }

    /// Moves the subscriptions of clusters that need other endpoints than before, and of nothing
    /// else: clusters that come one by one must not cost a sweep each.
    pub(super) fn follow(&mut self, clusters: &BTreeSet<Arc<str>>, turn: &mut Turn) {
        const KIND: ResourceType = ResourceType::Endpoints;
        let mut dropped = Vec::new();
        for cluster in clusters {
            let Some(node) = self.clusters.get_mut(cluster) else {
                continue;
            };
            let new = services(node);
            let old = std::mem::replace(&mut node.followed, new);
            for service in &node.followed {
                let users = self.users_of_endpoints.entry(Arc::clone(service));
                let users = users.or_default();
                if users.is_empty() {
                    self.subscribed.insert(KIND, service);
                    turn.subscribe.push((KIND, Arc::clone(service)));
                }
                users.insert(Arc::clone(cluster));
            }
            let gone = old.into_iter().filter(|it| !node.followed.contains(it));
            dropped.extend(gone.map(|service| (cluster, service)));
        }
        // Last, so that what one cluster drops and another takes up stays subscribed to.
        for (cluster, service) in dropped {
            let Some(users) = self.users_of_endpoints.get_mut(&service) else {
                continue;
            };
            users.remove(cluster);
            if users.is_empty() {
                self.users_of_endpoints.remove(&service);
                self.subscribed.remove(KIND, &service);
                turn.unsubscribe.push((KIND, service));
            }
        }
        turn.unsubscribe.sort_unstable();
        turn.subscribe.sort_unstable();
    }

    fn mark(&mut self) -> Names {
        let mut needed = Names::default();
        self.users_of_routes.clear();
        self.users_of_endpoints.clear();
        for node in self.clusters.values_mut() {
            node.users.clear();
        }
        for (listener, target) in &self.targets {
            needed.insert(ResourceType::Listener, listener);
            for name in target.route_names() {
                needed.insert(ResourceType::RouteConfig, name);
                let users = self.users_of_routes.entry(Arc::clone(name)).or_default();
                users.insert(Arc::clone(listener));
            }
            for cluster in target.plans().flat_map(|plan| plan.clusters()) {
                if let Some(node) = self.clusters.get_mut(&*cluster) {
                    node.users.insert(Arc::clone(listener));
                }
            }
        }
        for (cluster, node) in self
            .clusters
            .iter_mut()
            .filter(|(_, node)| !node.users.is_empty())
        {
            needed.insert(ResourceType::Cluster, cluster);
            node.followed = services(node);
            for service in &node.followed {
                needed.insert(ResourceType::Endpoints, service);
                let users = self.users_of_endpoints.entry(Arc::clone(service));
                users.or_default().insert(Arc::clone(cluster));
            }
        }
        needed
    }
}

/// The canonical names of the EDS services that a cluster needs.
fn services(node: &ClusterNode) -> Vec<Arc<str>> {
    let canonical = |service: &Arc<str>| match canonical(service) {
        Cow::Borrowed(_) => Arc::clone(service),
        Cow::Owned(name) => name.into(),
    };
    node.services().map(canonical).collect()
}
