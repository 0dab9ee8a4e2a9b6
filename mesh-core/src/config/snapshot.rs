//! A snapshot: all that the requests of one target need, at one moment (gRFC A74).

use std::sync::Arc;

use indexmap::IndexMap;

use super::{
    ClusterConfig, ClusterEntries, ConfigErrors, Dialect, Discovery, EndpointsConfig, FieldPath,
    ListenerConfig, RouteConfig,
};
use crate::{name::ClusterName, policy::route::RouteTable};

/// Listener, routes, clusters and endpoints of one target; complete, or not built.
///
/// Its parts are shared with the snapshots before and after it: what did not change is the same
/// `Arc`, and by that a reader knows what it need not do again.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What applies before a route is known.
    pub listener: Arc<ListenerConfig>,
    /// The route configuration, compiled.
    pub routes: Arc<RouteTable>,
    /// Every cluster that a route can name.
    pub clusters: ClusterEntries,
}

/// A cluster of a snapshot, or why it cannot be used: one bad cluster fails its own requests only.
#[derive(Clone, Debug)]
pub enum ClusterEntry {
    /// It can be used.
    Ready(ClusterSnapshot),
    /// It cannot: it does not exist, was never accepted, or asks for what is not supported.
    Unavailable(Arc<str>),
}

/// A usable cluster with its endpoints.
#[derive(Clone, Debug)]
pub struct ClusterSnapshot {
    /// Its policy.
    pub config: Arc<ClusterConfig>,
    /// Its endpoints; may be empty, which fails requests at once.
    pub endpoints: Arc<EndpointsConfig>,
    /// What would explain a lack of endpoints: a standing error of the control plane (gRFC A88's
    /// resolution note).
    pub note: Option<Arc<str>>,
}

impl ClusterSnapshot {
    /// Whether nothing at all differs, by identity of the parts.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config)
            && Arc::ptr_eq(&self.endpoints, &other.endpoints)
            && self.note == other.note
    }
}

impl ClusterEntry {
    /// Whether nothing at all differs, by identity of the parts.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ready(a), Self::Ready(b)) => a.same(b),
            (Self::Unavailable(a), Self::Unavailable(b)) => a == b,
            _ => false,
        }
    }
}

/// Builds a snapshot by hand: for fixed configurations and tests.
///
/// ```
/// use mesh_core::config::*;
///
/// let cluster = ClusterConfig::new(
///     "greeter",
///     Discovery::Static(EndpointsConfig::of([Address::Socket(([127, 0, 0, 1], 50051).into())]).into()),
///     Dialect::Grpc,
/// );
/// let snapshot = SnapshotBuilder::new("greeter").cluster(cluster).build()?;
/// assert_eq!(snapshot.clusters.len(), 1);
/// # Ok::<(), ConfigErrors>(())
/// ```
#[derive(Clone, Debug)]
pub struct SnapshotBuilder {
    listener: ListenerConfig,
    routes: Option<RouteConfig>,
    clusters: IndexMap<ClusterName, ClusterEntry>,
    errors: ConfigErrors,
}

impl SnapshotBuilder {
    /// Begins a snapshot for the listener of that name.
    pub fn new(listener: &str) -> Self {
        Self {
            listener: ListenerConfig::new(listener),
            routes: None,
            clusters: IndexMap::new(),
            errors: ConfigErrors::default(),
        }
    }

    /// Replaces the listener.
    #[must_use]
    pub fn listener(mut self, listener: ListenerConfig) -> Self {
        self.listener = listener;
        self
    }

    /// Sets the routes. Without them every request goes to the only cluster.
    #[must_use]
    pub fn routes(mut self, routes: RouteConfig) -> Self {
        self.routes = Some(routes);
        self
    }

    /// Adds a cluster that holds its own endpoints.
    #[must_use]
    pub fn cluster(mut self, config: ClusterConfig) -> Self {
        match &config.discovery {
            Discovery::Static(endpoints) => {
                let endpoints = Arc::clone(endpoints);
                self.cluster_with(config, endpoints)
            }
            _ => {
                let path = FieldPath::root()
                    .field("clusters")
                    .key(config.name.as_str());
                self.errors.push(
                    &path.field("discovery"),
                    "a fixed cluster lists its endpoints",
                );
                self
            }
        }
    }

    /// Adds a cluster whose endpoints were found elsewhere.
    #[must_use]
    pub fn cluster_with(mut self, config: ClusterConfig, endpoints: Arc<EndpointsConfig>) -> Self {
        let path = FieldPath::root()
            .field("clusters")
            .key(config.name.as_str());
        let entry = ClusterSnapshot {
            config: Arc::new(config),
            endpoints,
            note: None,
        };
        let name = entry.config.name.clone();
        if self
            .clusters
            .insert(name, ClusterEntry::Ready(entry))
            .is_some()
        {
            self.errors.push(&path, "is given twice");
        }
        self
    }

    /// Checks that every cluster a route names is there, and compiles the routes.
    ///
    /// # Errors
    /// Every reference that leads nowhere, and everything wrong with the routes.
    pub fn build(mut self) -> Result<Snapshot, ConfigErrors> {
        let routes = match (self.routes, self.clusters.keys().next()) {
            (Some(routes), _) => routes,
            (None, Some(only)) if self.clusters.len() == 1 => {
                RouteConfig::to_cluster(only.clone(), Dialect::Envoy)
            }
            _ => {
                self.errors.push(
                    &FieldPath::root().field("routes"),
                    "needed unless there is one cluster",
                );
                return Err(self.errors);
            }
        };
        let routes = RouteTable::compile(routes);
        let missing = routes
            .clusters()
            .iter()
            .filter(|name| !self.clusters.contains_key(*name));
        for name in missing {
            let path = FieldPath::root().field("clusters").key(name.as_str());
            self.errors.push(&path, "is named by a route but not given");
        }
        self.errors.into_result(Snapshot {
            listener: Arc::new(self.listener),
            routes: Arc::new(routes),
            clusters: self.clusters.into_iter().collect(),
        })
    }
}
