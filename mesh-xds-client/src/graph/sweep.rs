//! Mark and sweep: what can be reached from the targets is needed, the rest goes.

use std::{collections::HashSet, sync::Arc};

use super::{Graph, Turn};
use crate::{protocol::canonical, resource::ResourceType};

/// Names of resources, by kind.
#[derive(Debug, Default)]
pub(crate) struct Names([HashSet<Arc<str>>; ResourceType::ALL.len()]);

impl Names {
    fn insert(&mut self, kind: ResourceType, name: &Arc<str>) {
        self.0[kind as usize].insert(Arc::clone(name));
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
            .iter()
            .filter(|(_, node)| !node.users.is_empty())
        {
            needed.insert(ResourceType::Cluster, cluster);
            for service in node.services() {
                let service: Arc<str> = match canonical(service) {
                    std::borrow::Cow::Borrowed(_) => Arc::clone(service),
                    std::borrow::Cow::Owned(name) => name.into(),
                };
                needed.insert(ResourceType::Endpoints, &service);
                let users = self.users_of_endpoints.entry(service).or_default();
                users.insert(Arc::clone(cluster));
            }
        }
        needed
    }
}
