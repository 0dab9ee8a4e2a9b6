//! The resource types that a client asks for.

use std::fmt;

use mesh_proto::{
    TypeUrl,
    envoy::config::{
        cluster::v3::Cluster, endpoint::v3::ClusterLoadAssignment, listener::v3::Listener,
        route::v3::RouteConfiguration,
    },
};

/// A resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    /// `envoy.config.listener.v3.Listener` (LDS).
    Listener,
    /// `envoy.config.route.v3.RouteConfiguration` (RDS).
    RouteConfig,
    /// `envoy.config.cluster.v3.Cluster` (CDS).
    Cluster,
    /// `envoy.config.endpoint.v3.ClusterLoadAssignment` (EDS).
    Endpoints,
}

impl ResourceType {
    /// Every type.
    pub const ALL: [Self; 4] = [
        Self::Listener,
        Self::RouteConfig,
        Self::Cluster,
        Self::Endpoints,
    ];

    /// The type URL under which the type is asked for.
    #[must_use]
    pub const fn type_url(self) -> &'static str {
        match self {
            Self::Listener => Listener::TYPE_URL,
            Self::RouteConfig => RouteConfiguration::TYPE_URL,
            Self::Cluster => Cluster::TYPE_URL,
            Self::Endpoints => ClusterLoadAssignment::TYPE_URL,
        }
    }

    /// The type of that URL; only the part after the last slash counts.
    #[must_use]
    pub fn from_type_url(type_url: &str) -> Option<Self> {
        let full_name = |url: &'static str| url.rsplit_once('/').map_or(url, |(_, name)| name);
        let name = type_url.rsplit_once('/').map_or(type_url, |(_, name)| name);
        Self::ALL
            .into_iter()
            .find(|kind| full_name(kind.type_url()) == name)
    }

    /// Whether a state-of-the-world response lists every resource subscribed to, so that one
    /// missing from it does not exist (LDS and CDS; xDS protocol, "deleting resources").
    #[must_use]
    pub const fn all_in_sotw(self) -> bool {
        matches!(self, Self::Listener | Self::Cluster)
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listener => "Listener",
            Self::RouteConfig => "RouteConfiguration",
            Self::Cluster => "Cluster",
            Self::Endpoints => "ClusterLoadAssignment",
        })
    }
}
