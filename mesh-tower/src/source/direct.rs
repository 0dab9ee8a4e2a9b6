//! The configuration of a target that names its endpoints itself.

use std::sync::Arc;

use mesh_core::{
    config::{
        BackoffConfig, ClusterConfig, ConfigErrors, Dialect, Discovery, EndpointsConfig,
        Http1Config, Http2Config, Protocol, RetryConditions, RetryPolicy, RouteConfig, Snapshot,
        SnapshotBuilder,
    },
    name::Target,
    source::{ConfigUpdate, ConfigWatch},
};
use tokio::sync::watch;

/// How many endpoints a request tries after the first that could not be connected to.
const CONNECT_RETRIES: u32 = 3;

/// How targets without a control plane are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectConfig {
    /// Whose defaults apply: round robin over endpoints that are connected beforehand (gRPC), or
    /// when first picked (Envoy); time limits and circuit breakers likewise. Where endpoints are
    /// connected when picked, a request that got no connection tries up to three others.
    pub dialect: Dialect,
    /// What the endpoints speak.
    pub protocol: Protocol,
}

impl DirectConfig {
    /// The dialect's defaults, and its protocol: HTTP/2 for gRPC, HTTP/1.1 for Envoy.
    #[must_use]
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Grpc => Self::http2(dialect),
            Dialect::Envoy => Self {
                dialect,
                protocol: Protocol::Http1(Http1Config::default()),
            },
        }
    }

    /// The dialect's defaults, over HTTP/2.
    #[must_use]
    pub fn http2(dialect: Dialect) -> Self {
        Self {
            dialect,
            protocol: Protocol::Http2(Http2Config::default()),
        }
    }

    /// One cluster, and all requests to it.
    pub(super) fn snapshot(
        &self,
        target: &Target,
        discovery: Discovery,
        endpoints: EndpointsConfig,
    ) -> Result<Snapshot, ConfigErrors> {
        let mut cluster = ClusterConfig::new(target.as_str(), discovery, self.dialect);
        cluster.protocol = self.protocol;
        let mut routes = RouteConfig::to_cluster(cluster.name.clone(), self.dialect);
        for host in &mut routes.virtual_hosts {
            host.retry = self.retry();
        }
        SnapshotBuilder::new(target.as_str())
            .routes(routes)
            .cluster_with(cluster, Arc::new(endpoints))
            .build()
    }

    /// Nobody else can say that a host has addresses which nobody serves, such as one family of
    /// two. gRPC's endpoints are known to be connected before they are picked.
    fn retry(&self) -> Option<Arc<RetryPolicy>> {
        match self.dialect {
            Dialect::Grpc => None,
            Dialect::Envoy => Some(Arc::new(RetryPolicy {
                on: RetryConditions::CONNECT_FAILURE,
                status_codes: Vec::new(),
                num_retries: CONNECT_RETRIES,
                per_try_timeout: None,
                backoff: BackoffConfig::default(),
            })),
        }
    }
}

/// A watch of what never changes.
pub(super) fn settled(update: ConfigUpdate) -> ConfigWatch {
    // Without its sender a watch knows that nothing comes after.
    let (_, updates) = watch::channel(update);
    ConfigWatch::new(updates, None)
}

/// A watch of a target that cannot be served, for this reason.
pub(super) fn absent(reason: impl Into<Arc<str>>) -> ConfigWatch {
    settled(ConfigUpdate::Absent(reason.into()))
}
