//! What a request reads, once: the policy of its target with the live clusters behind it.

use std::{fmt, sync::Arc};

use indexmap::IndexMap;

use super::{ClusterRuntime, ClusterState};
use crate::{
    config::{ClusterEntry, ClusterSnapshot, ListenerConfig, Snapshot},
    error::{Error, ErrorKind},
    filter::{FilterChain, FilterChains, FilterRegistry},
    name::ClusterName,
    observe::Watch,
    policy::{
        head::RequestHead,
        route::{ClusterRef, CompiledRoute, RouteTable, Selection},
    },
};

/// A snapshot's policy joined with live clusters and filter chains, complete in itself; never changed,
/// only replaced. It keeps no endpoints: those live in the clusters.
pub struct View<C> {
    listener: Arc<ListenerConfig>,
    routes: Arc<RouteTable>,
    by_name: IndexMap<ClusterName, Slot<C>>,
    // Parallel to the route table's clusters.
    by_index: Box<[Slot<C>]>,
    filters: Result<Arc<FilterChains>, Arc<str>>,
}

/// A cluster's place in a view.
pub enum ClusterSlot<C> {
    /// It serves.
    Live(Arc<ClusterRuntime<C>>),
    /// It does not, for this reason.
    Unavailable(Arc<str>),
}

/// A cluster with who is told of the requests to it.
struct Slot<C> {
    cluster: ClusterSlot<C>,
    watch: Watch,
}

/// What was decided for a request.
#[derive(Debug)]
pub struct Chosen<C> {
    /// The route that takes it; it forwards.
    pub route: Arc<CompiledRoute>,
    /// The cluster that serves it.
    pub cluster: Arc<ClusterRuntime<C>>,
    /// The filters it passes.
    pub filters: FilterChain,
    /// Who is told of the request.
    pub watch: Watch,
}

impl<C> View<C> {
    /// Joins `snapshot` with live clusters, which `live` finds or makes, each watched by whom `watch`
    /// names. What `before`, the view that this one replaces, has built for the same configuration
    /// is taken over, and so are its watches of the clusters that stay.
    pub fn build(
        snapshot: &Snapshot,
        registry: &FilterRegistry,
        before: Option<&Self>,
        mut live: impl FnMut(&ClusterSnapshot) -> Arc<ClusterRuntime<C>>,
        mut watch: impl FnMut(&Arc<ClusterState>) -> Watch,
    ) -> Self {
        let slots = snapshot.clusters.iter().map(|(name, entry)| {
            let slot = match entry {
                ClusterEntry::Ready(cluster) => {
                    let cluster = live(cluster);
                    let before = before.and_then(|before| before.watch(name, &cluster));
                    Slot {
                        watch: before.unwrap_or_else(|| watch(cluster.state())),
                        cluster: ClusterSlot::Live(cluster),
                    }
                }
                ClusterEntry::Unavailable(reason) => Slot::unavailable(Arc::clone(reason)),
            };
            (name.clone(), slot)
        });
        let by_name: IndexMap<_, _> = slots.collect();
        let missing = || Slot::unavailable("the control plane has not named it".into());
        let named = snapshot.routes.clusters().iter();
        let by_index = named
            .map(|name| by_name.get(name).cloned().unwrap_or_else(missing))
            .collect();
        let filters = match before {
            Some(before) if before.same_policy(&snapshot.listener, &snapshot.routes) => {
                before.filters.clone()
            }
            _ => Self::chains(snapshot, registry, before),
        };
        Self {
            listener: Arc::clone(&snapshot.listener),
            routes: Arc::clone(&snapshot.routes),
            by_name,
            by_index,
            filters,
        }
    }

    /// Brings live clusters up to where `snapshot` differs from `applied`, the snapshot that this
    /// view was built or last brought up to date with; `live` is as for [`View::build`], and is asked
    /// of clusters that changed alone. False if a request would find something else in a view of
    /// `snapshot`, which is to be built then: in all but rare cases an update is one of endpoints, and
    /// is done with this.
    pub fn refresh(
        &self,
        applied: &Snapshot,
        snapshot: &Snapshot,
        mut live: impl FnMut(&ClusterSnapshot) -> Arc<ClusterRuntime<C>>,
    ) -> bool {
        if !self.same_policy(&snapshot.listener, &snapshot.routes) {
            return false;
        }
        let Some(mut changes) = snapshot.clusters.changes_since(&applied.clusters) else {
            return false;
        };
        changes.all(|(place, entry)| {
            let slot = self.by_name.get_index(place).map(|(_, slot)| &slot.cluster);
            match (slot, entry) {
                (Some(ClusterSlot::Live(cluster)), ClusterEntry::Ready(given)) => {
                    Arc::ptr_eq(cluster, &live(given))
                }
                (Some(ClusterSlot::Unavailable(before)), ClusterEntry::Unavailable(reason)) => {
                    before == reason
                }
                _ => false,
            }
        })
    }

    fn chains(
        snapshot: &Snapshot,
        registry: &FilterRegistry,
        before: Option<&Self>,
    ) -> Result<Arc<FilterChains>, Arc<str>> {
        let before = before.and_then(|before| before.filters.as_deref().ok());
        FilterChains::build(
            &snapshot.listener,
            snapshot.routes.scopes(),
            registry,
            before,
        )
        .map(Arc::new)
        .map_err(|errors| errors.to_string().into())
    }

    /// Who watches a cluster that is in this view too.
    fn watch(&self, name: &ClusterName, cluster: &Arc<ClusterRuntime<C>>) -> Option<Watch> {
        let slot = self.by_name.get(name)?;
        match &slot.cluster {
            ClusterSlot::Live(same) if Arc::ptr_eq(same.state(), cluster.state()) => {
                Some(slot.watch.clone())
            }
            _ => None,
        }
    }

    /// Whether these are this view's listener and routes, by identity.
    fn same_policy(&self, listener: &Arc<ListenerConfig>, routes: &Arc<RouteTable>) -> bool {
        Arc::ptr_eq(&self.listener, listener) && Arc::ptr_eq(&self.routes, routes)
    }

    /// Whether a request would find the same here as in `other`: the same policy, and behind it the
    /// same live clusters. Endpoints live in the clusters and may differ.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.same_policy(&other.listener, &other.routes)
            && self.by_name.len() == other.by_name.len()
            && self
                .by_name
                .iter()
                .zip(&other.by_name)
                .all(|((name, slot), (other, same))| {
                    name == other && slot.cluster.same(&same.cluster)
                })
    }

    /// The listener's own part.
    #[must_use]
    pub fn listener(&self) -> &ListenerConfig {
        &self.listener
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// The clusters by name.
    pub fn clusters(&self) -> impl Iterator<Item = (&ClusterName, &ClusterSlot<C>)> {
        self.by_name
            .iter()
            .map(|(name, slot)| (name, &slot.cluster))
    }

    /// Chooses route and cluster for a request, by the request's random number.
    ///
    /// # Errors
    /// `NoRoute` when no route takes it, or when its route refuses; `NoCluster` when the cluster does
    /// not serve; `Internal` when the route's filters could not be built.
    pub fn decide(&self, head: &RequestHead<'_>, draw: u64) -> Result<Chosen<C>, Error> {
        let Some(selection) = self.routes.select(head, draw) else {
            return Err(no_route(head));
        };
        let slot = match selection.cluster {
            Some(ClusterRef::Index(index)) => self.by_index.get(index),
            Some(ClusterRef::ByName(name)) => self.by_name.get(name),
            None => None,
        };
        let Some(Slot {
            cluster: ClusterSlot::Live(cluster),
            watch,
        }) = slot
        else {
            return Err(self.no_cluster(&selection, slot));
        };
        // Fails closed: a filter that cannot run might have been one that denies.
        let filters = match &self.filters {
            Ok(chains) => chains.get(selection.scope),
            Err(_) => None,
        };
        let Some(filters) = filters else {
            return Err(self.no_filters(selection.route));
        };
        Ok(Chosen {
            route: Arc::clone(selection.route),
            cluster: Arc::clone(cluster),
            filters: filters.clone(),
            watch: watch.clone(),
        })
    }

    /// The error of a request whose route refuses, or whose cluster does not serve.
    #[cold]
    fn no_cluster(&self, selection: &Selection<'_>, slot: Option<&Slot<C>>) -> Error {
        let route = selection.route;
        let forward = match route.forward() {
            Ok(forward) => forward,
            Err(reason) => {
                let text = format!("the route cannot be followed: {reason}");
                let error = Error::new(ErrorKind::NoRoute, text);
                return error.on_route(&route.route.name);
            }
        };
        let name = match selection.cluster {
            Some(ClusterRef::Index(index)) => self.routes.clusters()[index].as_str(),
            Some(ClusterRef::ByName(name)) => name,
            None => "",
        };
        let reason = match slot.map(|slot| &slot.cluster) {
            Some(ClusterSlot::Unavailable(reason)) => reason,
            Some(ClusterSlot::Live(_)) | None => "there is none of this name",
        };
        let text = format!("the cluster cannot be used: {reason}");
        Error::new(ErrorKind::NoCluster, text)
            .with_status(forward.cluster_not_found)
            .on_route(&route.route.name)
            .in_cluster(name)
    }

    #[cold]
    fn no_filters(&self, route: &CompiledRoute) -> Error {
        let reason = match &self.filters {
            Ok(_) => "the scope has no chain",
            Err(reason) => reason,
        };
        let text = format!("the route's filters cannot be built: {reason}");
        Error::new(ErrorKind::Internal, text).on_route(&route.route.name)
    }
}

#[cold]
fn no_route(head: &RequestHead<'_>) -> Error {
    let RequestHead {
        method, authority, ..
    } = head;
    let text = format!("no route for {method} {authority}{}", head.path());
    Error::new(ErrorKind::NoRoute, text)
}

impl<C> Slot<C> {
    const fn unavailable(reason: Arc<str>) -> Self {
        Self {
            cluster: ClusterSlot::Unavailable(reason),
            watch: None,
        }
    }
}

impl<C> Clone for Slot<C> {
    fn clone(&self) -> Self {
        Self {
            cluster: self.cluster.clone(),
            watch: self.watch.clone(),
        }
    }
}

impl<C> ClusterSlot<C> {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Live(one), Self::Live(other)) => Arc::ptr_eq(one, other),
            (Self::Unavailable(one), Self::Unavailable(other)) => one == other,
            _ => false,
        }
    }
}

impl<C> Clone for ClusterSlot<C> {
    fn clone(&self) -> Self {
        match self {
            Self::Live(cluster) => Self::Live(Arc::clone(cluster)),
            Self::Unavailable(reason) => Self::Unavailable(Arc::clone(reason)),
        }
    }
}

impl<C> fmt::Debug for ClusterSlot<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live(_) => f.write_str("Live"),
            Self::Unavailable(reason) => write!(f, "Unavailable({reason:?})"),
        }
    }
}

impl<C> fmt::Debug for Slot<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cluster.fmt(f)
    }
}

impl<C> fmt::Debug for View<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("clusters", &self.by_name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
