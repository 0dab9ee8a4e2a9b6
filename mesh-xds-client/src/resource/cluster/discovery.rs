//! Where a cluster's endpoints come from.

use std::sync::Arc;

use mesh_core::{config::Discovery, name::ClusterName};
use mesh_proto::envoy::{
    config::{
        cluster::v3::{
            Cluster,
            cluster::{
                ClusterDiscoveryType, CustomClusterType, DiscoveryType, LbConfig,
                OriginalDstLbConfig,
            },
        },
        endpoint::v3::{ClusterLoadAssignment, lb_endpoint::HostIdentifier},
    },
    extensions::clusters::{aggregate::v3::ClusterConfig as Aggregate, dns::v3::DnsCluster},
};

use crate::resource::{
    at::At,
    reader::{NO_EFFECT, Reader, quoted},
};

/// The name under which gRPC and Envoy know the aggregate cluster.
const AGGREGATE: &str = "envoy.clusters.aggregate";

impl Reader<'_> {
    pub(super) fn discovery(&mut self, at: &At<'_>, cluster: &Cluster) -> Option<Discovery> {
        let kind = match &cluster.cluster_discovery_type {
            Some(ClusterDiscoveryType::ClusterType(custom)) => {
                return self.custom_discovery(&at.field("cluster_type"), cluster, custom);
            }
            Some(ClusterDiscoveryType::Type(kind)) => DiscoveryType::try_from(*kind),
            None => Ok(DiscoveryType::Static),
        };
        match kind {
            Ok(DiscoveryType::Eds) => self.eds(at, cluster),
            Ok(DiscoveryType::LogicalDns) => self.dns(at, cluster, true),
            Ok(kind) if self.is_grpc() => {
                let reason = format!("{} is not supported in dialect grpc", kind.as_str_name());
                self.error(&at.field("type"), reason);
                None
            }
            Ok(DiscoveryType::StrictDns) => self.dns(at, cluster, false),
            Ok(DiscoveryType::Static) => Some(self.listed(at, cluster)),
            Ok(DiscoveryType::OriginalDst) => self.original_dst(at, cluster),
            Err(_) => {
                self.error(&at.field("type"), "is not a known value");
                None
            }
        }
    }

    fn eds(&mut self, at: &At<'_>, cluster: &Cluster) -> Option<Discovery> {
        let at = at.field("eds_cluster_config");
        let config = cluster.eds_cluster_config.as_ref();
        let source = config.and_then(|config| config.eds_config.as_ref());
        self.config_source(&at.field("eds_config"), source);
        let service = config.map_or("", |config| &config.service_name);
        if !service.is_empty() {
            return Some(Discovery::Eds(service.into()));
        }
        // gRFC A47: a name of the new style says where the cluster is, not where its endpoints are.
        if cluster.name.starts_with("xdstp:") {
            let reason = "is missing: an xdstp: cluster needs one";
            self.error(&at.field("service_name"), reason);
            return None;
        }
        Some(Discovery::Eds(cluster.name.as_str().into()))
    }

    fn listed(&mut self, at: &At<'_>, cluster: &Cluster) -> Discovery {
        let place = at.field("load_assignment");
        let endpoints = match &cluster.load_assignment {
            Some(assignment) => {
                self.filled(&place.field("cluster_name"), &assignment.cluster_name);
                self.endpoints(&place, assignment)
            }
            None => Default::default(),
        };
        Discovery::Static(Arc::new(endpoints))
    }

    fn original_dst(&mut self, at: &At<'_>, cluster: &Cluster) -> Option<Discovery> {
        if let Some(LbConfig::OriginalDstLbConfig(config)) = &cluster.lb_config {
            let at = at.field("original_dst_lb_config");
            let OriginalDstLbConfig {
                use_http_header,
                http_header_name,
                upstream_port_override,
                metadata_key,
            } = config;
            let fields = [
                ("use_http_header", *use_http_header),
                ("http_header_name", !http_header_name.is_empty()),
                ("upstream_port_override", upstream_port_override.is_some()),
                ("metadata_key", metadata_key.is_some()),
            ];
            for (field, _) in fields.into_iter().filter(|&(_, set)| set) {
                self.error(&at.field(field), "is not supported yet");
            }
        }
        if cluster.load_assignment.is_some() {
            self.error(&at.field("load_assignment"), "has no place in ORIGINAL_DST");
        }
        Some(Discovery::OriginalDst)
    }

    fn dns(&mut self, at: &At<'_>, cluster: &Cluster, logical: bool) -> Option<Discovery> {
        let place = at.field("load_assignment");
        let Some(assignment) = &cluster.load_assignment else {
            self.error(&place, "is missing");
            return None;
        };
        if logical {
            self.check_single(&place, assignment)?;
        }
        let hosts = self.dns_hosts(&place, assignment);
        Some(Discovery::Dns { hosts, logical })
    }

    /// gRFC A37 and Envoy: one locality with one endpoint.
    fn check_single(&mut self, at: &At<'_>, assignment: &ClusterLoadAssignment) -> Option<()> {
        let list = at.field("endpoints");
        let [locality] = assignment.endpoints.as_slice() else {
            let found = assignment.endpoints.len();
            self.error(&list, format!("must be one locality, not {found}"));
            return None;
        };
        let found = locality.lb_endpoints.len();
        if found != 1 {
            let at = list.index(0);
            let reason = format!("must be one endpoint, not {found}");
            self.error(&at.field("lb_endpoints"), reason);
            return None;
        }
        Some(())
    }

    fn dns_hosts(
        &mut self,
        at: &At<'_>,
        assignment: &ClusterLoadAssignment,
    ) -> Vec<(Arc<str>, u16)> {
        let list = at.field("endpoints");
        let mut hosts = Vec::new();
        for (i, locality) in assignment.endpoints.iter().enumerate() {
            let at = list.index(i);
            if locality.priority > 0 {
                let reason = "above zero is not supported yet in a cluster found by DNS";
                self.error(&at.field("priority"), reason);
            }
            if locality.load_balancing_weight.is_some() {
                let place = at.field("load_balancing_weight");
                self.warn(&place, NO_EFFECT);
            }
            let list = at.field("lb_endpoints");
            for (i, endpoint) in locality.lb_endpoints.iter().enumerate() {
                let at = list.index(i);
                if endpoint.load_balancing_weight.is_some() {
                    let place = at.field("load_balancing_weight");
                    self.warn(&place, NO_EFFECT);
                }
                let at = at.field("endpoint");
                let address = match &endpoint.host_identifier {
                    Some(HostIdentifier::Endpoint(endpoint)) => endpoint.address.as_ref(),
                    Some(HostIdentifier::EndpointName(_)) | None => None,
                };
                hosts.extend(self.host(&at.field("address"), address));
            }
        }
        hosts
    }

    fn custom_discovery(
        &mut self,
        at: &At<'_>,
        cluster: &Cluster,
        custom: &CustomClusterType,
    ) -> Option<Discovery> {
        let place = at.field("typed_config");
        match &custom.typed_config {
            Some(any) if any.is::<Aggregate>() || custom.name == AGGREGATE => {
                let aggregate: Aggregate = self.unpack(&place, any)?;
                self.aggregate(&place, &aggregate)
            }
            Some(any) if any.is::<DnsCluster>() && !self.is_grpc() => {
                let dns: DnsCluster = self.unpack(&place, any)?;
                self.dns(&At::ROOT, cluster, dns.all_addresses_in_single_endpoint)
            }
            Some(any) => {
                let reason = format!("{} is not supported", quoted(&any.type_url));
                self.error(&place, reason);
                None
            }
            None => {
                self.error(&place, "is missing");
                None
            }
        }
    }

    fn aggregate(&mut self, at: &At<'_>, aggregate: &Aggregate) -> Option<Discovery> {
        let list = at.field("clusters");
        if aggregate.clusters.is_empty() {
            self.error(&list, "is empty");
            return None;
        }
        let mut leaves: Vec<ClusterName> = Vec::with_capacity(aggregate.clusters.len());
        for (i, name) in aggregate.clusters.iter().enumerate() {
            leaves.extend(self.filled(&list.index(i), name).map(ClusterName::from));
        }
        Some(Discovery::Aggregate(leaves))
    }
}
