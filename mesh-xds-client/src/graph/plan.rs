//! A listener with its routes: what a snapshot is built around.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use mesh_core::{
    config::{ClusterEntry, ListenerConfig, Snapshot},
    policy::route::RouteTable,
};

use super::{
    ClusterNodes,
    cluster::keep,
    tables::{Tables, compile},
};
use crate::{
    protocol::canonical,
    resource::{ListenerResource, RouteConfigResource},
};

/// One version of a listener and of its routes.
#[derive(Debug)]
pub(crate) struct Plan {
    listener: Arc<ListenerResource>,
    /// The RouteConfiguration with its canonical name; `None` where the listener holds its routes.
    named: Option<(Arc<str>, Arc<RouteConfigResource>)>,
    config: Arc<ListenerConfig>,
    table: Arc<RouteTable>,
    /// Whether every cluster is written in the canonical spelling, and so once.
    plain: bool,
}

/// Where the routes of a listener are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Routes<'a> {
    /// In a RouteConfiguration, here with its canonical name.
    Named(&'a Arc<str>, &'a Arc<RouteConfigResource>),
    /// In the listener.
    Inline(&'a RouteConfigResource),
}

impl Plan {
    /// Plans for a listener and its routes, keeping what of `old` says the same.
    pub(crate) fn new(
        listener: &Arc<ListenerResource>,
        routes: Routes<'_>,
        old: Option<&Self>,
        tables: &mut Tables,
    ) -> Self {
        let default = listener.max_stream_duration;
        let (named, table) = match routes {
            Routes::Named(name, routes) => (
                Some((Arc::clone(name), Arc::clone(routes))),
                tables.get(name, routes, default),
            ),
            Routes::Inline(routes) => {
                let kept = old.filter(|old| {
                    old.listener.routes == listener.routes
                        && old.listener.max_stream_duration == default
                });
                let table = kept.map(|old| Arc::clone(&old.table));
                (None, table.unwrap_or_else(|| compile(routes, default)))
            }
        };
        let mut config = Arc::new(listener.config.clone());
        if let Some(old) = old {
            keep(&old.config, &mut config);
        }
        Self {
            listener: Arc::clone(listener),
            named,
            config,
            plain: table
                .clusters()
                .iter()
                .all(|name| matches!(canonical(name.as_str()), Cow::Borrowed(_))),
            table,
        }
    }

    /// Whether it was made of just these.
    pub(crate) fn is_of(&self, listener: &Arc<ListenerResource>, routes: Routes<'_>) -> bool {
        let same_routes = match (&self.named, routes) {
            (Some((name, mine)), Routes::Named(other, theirs)) => {
                name == other && Arc::ptr_eq(mine, theirs)
            }
            (None, Routes::Inline(_)) => true,
            _ => false,
        };
        same_routes && Arc::ptr_eq(&self.listener, listener)
    }

    /// The canonical name of its RouteConfiguration.
    pub(crate) fn route_name(&self) -> Option<&Arc<str>> {
        self.named.as_ref().map(|(name, _)| name)
    }

    /// The canonical names of its clusters.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let names = self.table.clusters().iter();
        names.map(|name| canonical(name.as_str()))
    }

    /// The snapshot of it; clusters stand in the order in which the route table counts them. One
    /// without an answer keeps its place with a text that says so.
    pub(crate) fn snapshot(&self, nodes: &ClusterNodes) -> Snapshot {
        let clusters = self.table.clusters().iter().map(|name| {
            let node = nodes.get(&*canonical(name.as_str()));
            let entry = node.and_then(|node| node.entry()).cloned();
            let entry = entry.unwrap_or_else(|| {
                ClusterEntry::Unavailable(format!("cluster {name:?} is not known yet").into())
            });
            (name.clone(), entry)
        });
        Snapshot {
            listener: Arc::clone(&self.config),
            routes: Arc::clone(&self.table),
            clusters: clusters.collect(),
        }
    }

    /// The snapshot `old` of this plan, with these clusters as they are now; `None` if nothing
    /// changed. All other entries are shared.
    pub(crate) fn refreshed(
        &self,
        old: &Snapshot,
        touched: &HashSet<Arc<str>>,
        nodes: &ClusterNodes,
    ) -> Option<Snapshot> {
        if !self.plain && !touched.is_empty() {
            let snapshot = self.snapshot(nodes);
            return (!same(&snapshot, old)).then_some(snapshot);
        }
        let mut new: Option<Snapshot> = None;
        for name in touched {
            // None, if only the next version names it.
            let before = old.clusters.get(name);
            let entry = nodes.get(name).and_then(|node| node.entry());
            let (Some(before), Some(entry)) = (before, entry) else {
                continue;
            };
            if !before.same(entry) {
                let new = new.get_or_insert_with(|| old.clone());
                if let Some(place) = new.clusters.get_mut(name) {
                    *place = entry.clone();
                }
            }
        }
        new
    }
}

/// Whether nothing differs, by identity of the parts.
pub(crate) fn same(a: &Snapshot, b: &Snapshot) -> bool {
    Arc::ptr_eq(&a.listener, &b.listener)
        && Arc::ptr_eq(&a.routes, &b.routes)
        && a.clusters.len() == b.clusters.len()
        && a.clusters
            .iter()
            .zip(b.clusters.iter())
            .all(|(a, b)| a.0 == b.0 && a.1.same(b.1))
}
