//! The graph: what each watched target needs, and the snapshot it makes of it (gRFC A74).
//!
//! A listener leads to routes, routes to clusters, a cluster to endpoints. The graph walks these
//! references over the store, says which resources are to be subscribed to, and puts together one
//! complete [`Snapshot`](mesh_core::config::Snapshot) per target. No I/O, no clock.
//!
//! - *Make before break.* A new version of a listener, of routes or of a cluster takes effect once
//!   everything it needs has an answer, be it a value or an error. Until then the old one stays in
//!   force and its subscriptions stay.
//! - *Errors stay where they are.* A cluster that does not exist, was refused, or asks for what is
//!   not supported is an entry with its reason; others work. Only a listener or a route
//!   configuration that does not exist takes the target's configuration away, and a trouble of the
//!   connection never does.
//! - *What did not change is the same `Arc`.* Each version of a route configuration is compiled
//!   once for all targets; an update of endpoints changes one entry.
//! - *Mark and sweep.* What is subscribed to is the set of what can be reached from the targets,
//!   found anew after each change of listeners and routes, and compared with the set before. A
//!   cluster that names another EDS service moves that one subscription; a change of endpoints moves
//!   none.
//!
//! A route that names its cluster by a header adds nothing to the set: the clusters it may name
//! are those that other routes of the same target name.

mod cluster;
mod found;
mod origin;
mod plan;
mod sweep;
mod tables;
mod target;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use mesh_core::source::ConfigUpdate;

use self::{
    cluster::ClusterNode,
    found::{Refused, Shelf},
    sweep::Names,
    tables::Tables,
    target::TargetNode,
};
pub(crate) use self::{found::Lookup, origin::Origin};
use crate::{protocol::canonical, resource::ResourceType};

/// Clusters by canonical name.
type ClusterNodes = HashMap<Arc<str>, ClusterNode>;

/// What the targets need.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// By the canonical name of the listener.
    targets: BTreeMap<Arc<str>, TargetNode>,
    clusters: ClusterNodes,
    tables: Tables,
    subscribed: Names,
    refused: Refused,
    /// Who is to look again when a RouteConfiguration or a ClusterLoadAssignment changes.
    users_of_routes: HashMap<Arc<str>, HashSet<Arc<str>>>,
    users_of_endpoints: HashMap<Arc<str>, HashSet<Arc<str>>>,
    changed_targets: BTreeSet<Arc<str>>,
    changed_clusters: BTreeSet<Arc<str>>,
    /// Whether what can be reached from the targets is to be found anew.
    changed_references: bool,
    /// Clusters that need other endpoints than before.
    changed_needs: BTreeSet<Arc<str>>,
}

/// What is to be done after the graph was looked through.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Names not needed any more, by kind and name.
    pub(crate) unsubscribe: Vec<(ResourceType, Arc<str>)>,
    /// Names newly needed.
    pub(crate) subscribe: Vec<(ResourceType, Arc<str>)>,
    /// What to tell the watches of a listener.
    pub(crate) updates: Vec<(Arc<str>, ConfigUpdate)>,
}

impl Graph {
    /// Watches the target with this listener.
    pub(crate) fn watch(&mut self, listener: &str) {
        let listener: Arc<str> = canonical(listener).into();
        self.targets.entry(Arc::clone(&listener)).or_default();
        self.changed_targets.insert(listener);
        self.changed_references = true;
    }

    /// Watches it no more.
    pub(crate) fn unwatch(&mut self, listener: &str) {
        let listener = canonical(listener);
        self.targets.remove(&*listener);
        self.changed_targets.remove(&*listener);
        self.changed_references = true;
    }

    /// A resource changed.
    pub(crate) fn note(&mut self, kind: ResourceType, name: &Arc<str>) {
        match kind {
            ResourceType::Listener => {
                self.changed_targets.insert(Arc::clone(name));
            }
            ResourceType::RouteConfig => {
                let users = self.users_of_routes.get(name);
                self.changed_targets
                    .extend(users.into_iter().flatten().cloned());
            }
            ResourceType::Cluster => {
                self.changed_clusters.insert(Arc::clone(name));
            }
            ResourceType::Endpoints => {
                let users = self.users_of_endpoints.get(name);
                self.changed_clusters
                    .extend(users.into_iter().flatten().cloned());
            }
        }
    }

    /// The connection's error changed: it bears on all that has no answer yet.
    pub(crate) fn note_connection(&mut self) {
        let unsettled = self
            .targets
            .iter()
            .filter(|(_, target)| !target.is_settled());
        self.changed_targets
            .extend(unsettled.map(|(name, _)| Arc::clone(name)));
        let open = self
            .clusters
            .iter()
            .filter(|(_, node)| !node.is_answered(false));
        self.changed_clusters
            .extend(open.map(|(name, _)| Arc::clone(name)));
    }

    /// A name that was to be subscribed to cannot be, for this reason.
    pub(crate) fn refuse(&mut self, kind: ResourceType, name: Arc<str>, reason: Arc<str>) {
        let key = (kind, name);
        if self.refused.get(&key) == Some(&reason) {
            return;
        }
        self.note(kind, &key.1);
        self.refused.insert(key, reason);
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_clean(&self) -> bool {
        self.changed_targets.is_empty()
            && self.changed_clusters.is_empty()
            && !self.changed_references
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.targets.is_empty()
            && self.clusters.is_empty()
            && self.tables.is_empty()
            && self.refused.is_empty()
            && self.users_of_routes.is_empty()
            && self.users_of_endpoints.is_empty()
    }

    /// Looks through all that changed.
    pub(crate) fn turn<L: Lookup>(&mut self, store: &L, origin: &Origin<'_>) -> Turn {
        let targets = std::mem::take(&mut self.changed_targets);
        self.read_targets(&targets, store);
        let mut touched = self.evaluate_clusters(store);
        for target in targets {
            touched.entry(target).or_default();
        }
        let mut turn = Turn::default();
        for (name, clusters) in touched {
            let Some(target) = self.targets.get_mut(&name) else {
                continue;
            };
            self.changed_references |= target.settle(&clusters, &self.clusters);
            let news = target.news(&self.clusters, origin);
            turn.updates.extend(news.map(|update| (name, update)));
        }
        let needs = std::mem::take(&mut self.changed_needs);
        // A name that was refused may have room now, which only a sweep finds.
        let sweeps = std::mem::take(&mut self.changed_references) || !self.refused.is_empty();
        match sweeps {
            true => self.sweep(&mut turn),
            false => self.follow(&needs, &mut turn),
        }
        turn
    }

    /// Reads listeners and routes, and makes room for the clusters that they name.
    fn read_targets<L: Lookup>(&mut self, names: &BTreeSet<Arc<str>>, store: &L) {
        let shelf = Shelf {
            store,
            refused: &self.refused,
        };
        for name in names {
            let Some(target) = self.targets.get_mut(name) else {
                continue;
            };
            target.read(name, &shelf, &mut self.tables);
            self.changed_references = true;
            for cluster in target.plans().flat_map(|plan| plan.clusters()) {
                if !self.clusters.contains_key(&*cluster) {
                    let cluster: Arc<str> = cluster.into();
                    self.clusters
                        .insert(Arc::clone(&cluster), ClusterNode::default());
                    self.changed_clusters.insert(cluster);
                }
            }
        }
    }

    /// Looks at the clusters that changed; gives the targets that see it, each with the clusters
    /// that it sees changed.
    fn evaluate_clusters<L: Lookup>(&mut self, store: &L) -> BTreeMap<Arc<str>, HashSet<Arc<str>>> {
        let shelf = Shelf {
            store,
            refused: &self.refused,
        };
        let mut touched: BTreeMap<_, HashSet<_>> = BTreeMap::new();
        for name in std::mem::take(&mut self.changed_clusters) {
            let Some(node) = self.clusters.get_mut(&name) else {
                continue;
            };
            let changes = node.evaluate(&name, &shelf);
            if changes.needs {
                self.changed_needs.insert(Arc::clone(&name));
            }
            // What a target waits for may have changed even where no entry did.
            if changes.entry || changes.needs {
                for user in &node.users {
                    let seen = touched.entry(Arc::clone(user)).or_default();
                    seen.insert(Arc::clone(&name));
                }
            }
        }
        touched
    }
}

#[cfg(test)]
mod tests;
