//! What a target's requests meet at this moment; for people: admin pages, tests.

use std::{fmt, sync::Arc};

use mesh_core::{
    config::{ClusterConfig, ListenerConfig},
    explain::{self, RouteExplanation},
    name::ClusterName,
    policy::{head::RequestHead, route::RouteTable},
    runtime::{ClusterExplanation, ClusterRuntime, ClusterSlot, View},
};

use crate::{clock, connect::Pool};

/// A target's policy and live clusters. It stays what it was while new configuration takes its place.
pub struct Inspection {
    view: Arc<View<Pool>>,
}

/// A cluster of an [`Inspection`].
#[derive(Debug)]
pub enum InspectedCluster<'a> {
    /// It serves.
    Live(LiveCluster<'a>),
    /// It does not, for this reason.
    Unavailable(&'a str),
}

/// A cluster that serves.
#[derive(Debug)]
pub struct LiveCluster<'a>(&'a ClusterRuntime<Pool>);

impl Inspection {
    pub(crate) const fn new(view: Arc<View<Pool>>) -> Self {
        Self { view }
    }

    /// The listener's own part: its filters.
    #[must_use]
    pub fn listener(&self) -> &ListenerConfig {
        self.view.listener()
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &RouteTable {
        self.view.routes()
    }

    /// The clusters by name.
    pub fn clusters(&self) -> impl Iterator<Item = (&ClusterName, InspectedCluster<'_>)> {
        self.view.clusters().map(|(name, slot)| {
            let cluster = match slot {
                ClusterSlot::Live(cluster) => InspectedCluster::Live(LiveCluster(cluster)),
                ClusterSlot::Unavailable(reason) => InspectedCluster::Unavailable(reason),
            };
            (name, cluster)
        })
    }

    /// Why a request with this head and the random number `draw` goes where it goes.
    #[must_use]
    pub fn explain(&self, head: &RequestHead<'_>, draw: u64) -> RouteExplanation {
        explain::route(self.routes(), head, draw)
    }
}

impl LiveCluster<'_> {
    /// The policy in use.
    #[must_use]
    pub fn config(&self) -> Arc<ClusterConfig> {
        self.0.config()
    }

    /// What its picker does, and its endpoints with all that is known of them.
    #[must_use]
    pub fn explain(&self) -> ClusterExplanation {
        self.0.explain(clock::now())
    }
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection").finish_non_exhaustive()
    }
}
