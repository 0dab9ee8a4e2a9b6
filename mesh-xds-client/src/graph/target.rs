//! One watched target: the snapshot in force, and the one in the making.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use mesh_core::{config::Snapshot, source::ConfigUpdate};

use super::{
    ClusterNodes, Origin,
    found::{Failure, Found, Lookup, Shelf},
    plan::{Plan, Routes, same},
    tables::Tables,
};
use crate::{
    protocol::canonical,
    resource::{ResourceType, RouteSource},
};

/// A watched target, known by its listener.
#[derive(Debug, Default)]
pub(crate) struct TargetNode {
    current: Option<(Plan, Arc<Snapshot>)>,
    next: Option<Next>,
    /// The RouteConfiguration that the newest listener names.
    wanted_route: Option<Arc<str>>,
    obstacle: Obstacle,
    published: Option<ConfigUpdate>,
}

/// The newest version, while clusters of it have no answer.
#[derive(Debug)]
struct Next {
    plan: Plan,
    /// The clusters without an answer.
    missing: BTreeSet<Arc<str>>,
    /// Whether `missing` is still all of them, unlooked at. From then on changes say enough: to look
    /// at all of ten thousand clusters whenever one of them gets its answer takes minutes.
    fresh: bool,
}

/// Why the newest version is not in force.
#[derive(Debug, Default)]
enum Obstacle {
    /// Only its clusters, if anything.
    #[default]
    Clusters,
    /// Its listener or its routes are not here.
    Missing {
        kind: ResourceType,
        name: Arc<str>,
        last_error: Option<Arc<str>>,
    },
    /// Its listener or its routes cannot be had.
    Failed(Arc<str>),
}

impl TargetNode {
    /// The plans whose clusters are needed: the one in force, and the next.
    pub(crate) fn plans(&self) -> impl Iterator<Item = &Plan> {
        let current = self.current.iter().map(|(plan, _)| plan);
        current.chain(self.next.iter().map(|next| &next.plan))
    }

    /// The canonical names of the RouteConfigurations it needs.
    pub(crate) fn route_names(&self) -> impl Iterator<Item = &Arc<str>> {
        let planned = self.plans().filter_map(Plan::route_name);
        planned.chain(&self.wanted_route)
    }

    /// Whether all is well: the newest version is in force.
    pub(crate) const fn is_settled(&self) -> bool {
        self.current.is_some() && self.next.is_none() && matches!(self.obstacle, Obstacle::Clusters)
    }

    /// Reads listener and routes anew.
    pub(crate) fn read<L: Lookup>(
        &mut self,
        name: &Arc<str>,
        shelf: &Shelf<'_, L>,
        tables: &mut Tables,
    ) {
        let listener = match shelf.listener(name) {
            Found::Ready(listener, _) => listener,
            Found::Waiting => return self.wait(ResourceType::Listener, name, None),
            Found::Failed(failure) => {
                self.wanted_route = None;
                return self.fail(ResourceType::Listener, name, failure);
            }
        };
        let name: Arc<str>;
        let routes = match &listener.routes {
            RouteSource::Inline(routes) => {
                self.wanted_route = None;
                Routes::Inline(routes)
            }
            RouteSource::Rds(rds) => {
                name = canonical(rds.as_str()).into();
                self.wanted_route = Some(Arc::clone(&name));
                match shelf.route_config(&name) {
                    Found::Ready(routes, _) => Routes::Named(&name, routes),
                    Found::Waiting => return self.wait(ResourceType::RouteConfig, &name, None),
                    Found::Failed(failure) => {
                        return self.fail(ResourceType::RouteConfig, &name, failure);
                    }
                }
            }
        };
        self.obstacle = Obstacle::Clusters;
        let current = self.current.as_ref().map(|(plan, _)| plan);
        if current.is_some_and(|plan| plan.is_of(listener, routes)) {
            self.next = None;
        } else if !self
            .next
            .as_ref()
            .is_some_and(|next| next.plan.is_of(listener, routes))
        {
            let plan = Plan::new(listener, routes, current, tables);
            self.next = Some(Next {
                missing: plan.clusters().map(Arc::from).collect(),
                plan,
                fresh: true,
            });
        }
    }

    /// The newest version is not here yet; what is in force stays.
    fn wait(&mut self, kind: ResourceType, name: &Arc<str>, last_error: Option<Arc<str>>) {
        self.next = None;
        self.obstacle = Obstacle::Missing {
            kind,
            name: Arc::clone(name),
            last_error,
        };
    }

    /// The newest version cannot be had. A trouble that may pass takes nothing away (gRFC A57);
    /// one of the resource itself does, since the control plane means it (gRFC A74).
    fn fail(&mut self, kind: ResourceType, name: &Arc<str>, failure: Failure) {
        if failure.transient {
            return self.wait(kind, name, Some(failure.reason));
        }
        self.next = None;
        self.current = None;
        self.obstacle = Obstacle::Failed(failure.reason);
    }

    /// Puts the next version in force if all its clusters have an answer; else brings the
    /// `touched` clusters of the one in force up to date. True if a version came into force.
    pub(crate) fn settle(&mut self, touched: &HashSet<Arc<str>>, nodes: &ClusterNodes) -> bool {
        if let Some(next) = &mut self.next {
            // With nothing in force, a cluster that fails for now must not hold up the others.
            let lenient = self.current.is_none();
            let answered = |name: &Arc<str>| {
                let node = nodes.get(name);
                node.is_some_and(|node| node.is_answered(lenient))
            };
            if std::mem::take(&mut next.fresh) {
                next.missing.retain(|name| !answered(name));
            } else {
                for name in touched.iter().filter(|name| answered(name)) {
                    next.missing.remove(name);
                }
            }
        }
        if let Some(Next { plan, .. }) = self.next.take_if(|next| next.missing.is_empty()) {
            let snapshot = plan.snapshot(nodes);
            let old = self.current.take().map(|(_, snapshot)| snapshot);
            let unchanged = old.filter(|old| same(old, &snapshot));
            let snapshot = unchanged.unwrap_or_else(|| Arc::new(snapshot));
            self.current = Some((plan, snapshot));
            return true;
        }
        if let Some((plan, snapshot)) = &mut self.current
            && let Some(new) = plan.refreshed(snapshot, touched, nodes)
        {
            *snapshot = Arc::new(new);
        }
        false
    }

    /// What is to be told, if it is news.
    pub(crate) fn news(
        &mut self,
        nodes: &ClusterNodes,
        origin: &Origin<'_>,
    ) -> Option<ConfigUpdate> {
        let update = match (&self.current, &self.obstacle) {
            (Some((_, snapshot)), _) => ConfigUpdate::Ready(Arc::clone(snapshot)),
            (None, Obstacle::Failed(reason)) => ConfigUpdate::Absent(Arc::clone(reason)),
            (
                None,
                Obstacle::Missing {
                    kind,
                    name,
                    last_error,
                },
            ) => {
                let error = last_error.as_deref();
                ConfigUpdate::Pending(origin.missing(*kind, &[name], 1, error).into())
            }
            (None, Obstacle::Clusters) => ConfigUpdate::Pending(self.missing(nodes, origin).into()),
        };
        let news = !self
            .published
            .as_ref()
            .is_some_and(|old| repeats(old, &update));
        news.then(|| self.published.insert(update).clone())
    }

    /// Which clusters have no answer, by the first few. Those whose own resources are here lack
    /// their endpoints.
    fn missing(&self, nodes: &ClusterNodes, origin: &Origin<'_>) -> String {
        const NAMED: usize = 3;
        let Some(Next { missing, .. }) = &self.next else {
            return origin.missing(ResourceType::Cluster, &[], 0, None);
        };
        let names: Vec<&str> = missing.iter().take(NAMED).map(|name| &**name).collect();
        let services: Vec<&str> = names
            .iter()
            .filter_map(|name| nodes.get(*name)?.services().last())
            .map(|service| &**service)
            .collect();
        let (kind, names) = match names.len() == services.len() {
            true => (ResourceType::Endpoints, services),
            false => (ResourceType::Cluster, names),
        };
        origin.missing(kind, &names, missing.len(), None)
    }
}

fn repeats(old: &ConfigUpdate, new: &ConfigUpdate) -> bool {
    match (old, new) {
        (ConfigUpdate::Pending(old), ConfigUpdate::Pending(new))
        | (ConfigUpdate::Absent(old), ConfigUpdate::Absent(new)) => old == new,
        (ConfigUpdate::Ready(old), ConfigUpdate::Ready(new)) => Arc::ptr_eq(old, new),
        _ => false,
    }
}
