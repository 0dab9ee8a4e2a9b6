//! Clusters whose endpoints come from EDS.

use std::time::Duration;

use mesh_proto::envoy::config::cluster::v3::circuit_breakers::Thresholds;
use mesh_proto::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, DiscoveryType, EdsClusterConfig, LbConfig, LbPolicy, RingHashLbConfig,
};
use mesh_proto::envoy::config::cluster::v3::load_balancing_policy::Policy;
use mesh_proto::envoy::config::cluster::v3::{Cluster, LoadBalancingPolicy, OutlierDetection};
use mesh_proto::envoy::config::core::v3::{
    Http1ProtocolOptions, Http2ProtocolOptions, TypedExtensionConfig,
};
use mesh_proto::envoy::config::endpoint::v3::ClusterLoadAssignment;
use mesh_proto::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use mesh_proto::envoy::extensions::upstreams::http::v3::http_protocol_options::explicit_http_config::ProtocolConfig;
use mesh_proto::envoy::extensions::upstreams::http::v3::http_protocol_options::{
    ExplicitHttpConfig, UpstreamProtocolOptions,
};
use mesh_proto::{Any, TypeUrl};

use super::{ads, builder, duration};

/// Where a cluster's protocol options are kept.
const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// A cluster with round robin over the endpoints of the same name.
#[must_use]
pub fn cluster(name: &str) -> ClusterBuilder {
    ClusterBuilder {
        cluster: Cluster {
            name: name.to_owned(),
            cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Eds.into())),
            eds_cluster_config: Some(EdsClusterConfig {
                eds_config: Some(ads()),
                ..EdsClusterConfig::default()
            }),
            ..Cluster::default()
        },
    }
}

/// Builds a cluster.
#[derive(Clone, Debug)]
pub struct ClusterBuilder {
    cluster: Cluster,
}

builder!(ClusterBuilder { cluster: Cluster }, resource);

impl ClusterBuilder {
    /// Takes the endpoints of another name.
    #[must_use]
    pub fn endpoints_from(self, name: &str) -> Self {
        self.edit(|cluster| {
            let eds = cluster.eds_cluster_config.get_or_insert_default();
            eds.service_name = name.to_owned();
        })
    }

    /// Holds its endpoints itself (`STATIC`).
    #[must_use]
    pub fn fixed(self, endpoints: impl Into<ClusterLoadAssignment>) -> Self {
        self.edit(|cluster| {
            let fixed = ClusterDiscoveryType::Type(DiscoveryType::Static.into());
            cluster.cluster_discovery_type = Some(fixed);
            cluster.eds_cluster_config = None;
            cluster.load_assignment = Some(endpoints.into());
        })
    }

    /// Speaks HTTP/1.1 to its endpoints.
    #[must_use]
    pub fn http1(self) -> Self {
        let options = Http1ProtocolOptions::default();
        self.protocol(ProtocolConfig::HttpProtocolOptions(options))
    }

    /// Speaks HTTP/2 to its endpoints.
    #[must_use]
    pub fn http2(self) -> Self {
        let options = Http2ProtocolOptions::default();
        self.protocol(ProtocolConfig::Http2ProtocolOptions(options))
    }

    fn protocol(self, protocol: ProtocolConfig) -> Self {
        let explicit = ExplicitHttpConfig {
            protocol_config: Some(protocol),
        };
        let options = HttpProtocolOptions {
            upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(explicit)),
            ..HttpProtocolOptions::default()
        };
        self.edit(|cluster| {
            let all = &mut cluster.typed_extension_protocol_options;
            all.insert(HTTP_OPTIONS.to_owned(), Any::pack(&options));
        })
    }

    /// Balances by this policy.
    #[must_use]
    pub fn lb(self, policy: LbPolicy) -> Self {
        self.edit(|cluster| cluster.lb_policy = policy.into())
    }

    /// Balances by hash over a ring of this size.
    #[must_use]
    pub fn ring_hash(self, min: u64, max: u64) -> Self {
        let ring = RingHashLbConfig {
            minimum_ring_size: Some(min),
            maximum_ring_size: Some(max),
            ..RingHashLbConfig::default()
        };
        self.lb(LbPolicy::RingHash)
            .edit(|cluster| cluster.lb_config = Some(LbConfig::RingHashLbConfig(ring)))
    }

    /// Balances by an extension (`load_balancing_policy`); those added first are preferred.
    #[must_use]
    pub fn lb_policy<T: TypeUrl>(self, config: &T) -> Self {
        let extension = TypedExtensionConfig {
            name: T::full_name().to_owned(),
            typed_config: Some(Any::pack(config)),
        };
        self.edit(|cluster| {
            let list: &mut LoadBalancingPolicy =
                cluster.load_balancing_policy.get_or_insert_default();
            list.policies.push(Policy {
                typed_extension_config: Some(extension),
            });
        })
    }

    /// Bounds connecting.
    #[must_use]
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.edit(|cluster| cluster.connect_timeout = duration(timeout))
    }

    /// Bounds requests in flight.
    #[must_use]
    pub fn max_requests(self, limit: u32) -> Self {
        self.edit_limits(|limits| limits.max_requests = Some(limit))
    }

    /// Bounds retries in flight.
    #[must_use]
    pub fn max_retries(self, limit: u32) -> Self {
        self.edit_limits(|limits| limits.max_retries = Some(limit))
    }

    /// Bounds requests that wait for a connection.
    #[must_use]
    pub fn max_pending(self, limit: u32) -> Self {
        self.edit_limits(|limits| limits.max_pending_requests = Some(limit))
    }

    /// Bounds connections.
    #[must_use]
    pub fn max_connections(self, limit: u32) -> Self {
        self.edit_limits(|limits| limits.max_connections = Some(limit))
    }

    /// Detects outliers.
    #[must_use]
    pub fn outlier_detection(self, detection: OutlierDetection) -> Self {
        self.edit(|cluster| cluster.outlier_detection = Some(detection))
    }

    /// Changes the limits of the default priority.
    #[must_use]
    pub fn edit_limits(self, edit: impl FnOnce(&mut Thresholds)) -> Self {
        self.edit(|cluster| {
            let breakers = cluster.circuit_breakers.get_or_insert_default();
            if breakers.thresholds.is_empty() {
                breakers.thresholds.push(Thresholds::default());
            }
            edit(&mut breakers.thresholds[0]);
        })
    }
}
