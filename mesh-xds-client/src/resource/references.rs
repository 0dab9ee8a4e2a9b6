//! What a resource refers to.

use std::{collections::BTreeSet, sync::Arc};

use mesh_core::{
    config::{ClusterChoice, Discovery, RouteAction, RouteConfig},
    name::{ClusterName, RouteConfigName},
};

use super::{Resource, RouteSource};

/// Names of the resources that another one needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// The RouteConfiguration of a Listener.
    pub route_config: Option<RouteConfigName>,
    /// The Clusters of a RouteConfiguration, of an inline one too, or of an aggregate Cluster.
    pub clusters: BTreeSet<ClusterName>,
    /// The ClusterLoadAssignment of a Cluster.
    pub endpoints: Option<Arc<str>>,
}

impl Resource {
    /// What this resource needs, directly.
    #[must_use]
    pub fn references(&self) -> References {
        let mut references = References::default();
        match self {
            Self::Listener(listener) => match &listener.routes {
                RouteSource::Rds(name) => references.route_config = Some(name.clone()),
                RouteSource::Inline(routes) => clusters(&routes.config, &mut references.clusters),
            },
            Self::RouteConfig(routes) => clusters(&routes.config, &mut references.clusters),
            Self::Cluster(cluster) => match &cluster.discovery {
                Discovery::Eds(service) => references.endpoints = Some(Arc::clone(service)),
                Discovery::Aggregate(leaves) => references.clusters.extend(leaves.iter().cloned()),
                Discovery::Static(_) | Discovery::Dns { .. } | Discovery::OriginalDst => {}
            },
            Self::Endpoints(_) => {}
        }
        references
    }
}

fn clusters(config: &RouteConfig, into: &mut BTreeSet<ClusterName>) {
    let routes = config.virtual_hosts.iter().flat_map(|host| &host.routes);
    for route in routes {
        let RouteAction::Forward(forward) = &route.action else {
            continue;
        };
        match &forward.cluster {
            ClusterChoice::Single(name) => {
                into.insert(name.clone());
            }
            ClusterChoice::Weighted(weighted) => {
                into.extend(weighted.clusters.iter().map(|cluster| cluster.name.clone()));
            }
            ClusterChoice::Header(_) => {}
        }
    }
}
