//! Fields of Clusters.

use mesh_proto::envoy::config::cluster::v3::Cluster;

use super::{
    Unused,
    Verdict::{Reject, Report},
    set,
};

/// Fields of a Cluster.
pub(in crate::resource) fn cluster(m: &Cluster) -> Vec<Unused> {
    set([
        ("filters", !m.filters.is_empty(), Reject),
        ("upstream_config", m.upstream_config.is_some(), Reject),
        (
            "upstream_bind_config",
            m.upstream_bind_config.is_some(),
            Report,
        ),
        ("health_checks", !m.health_checks.is_empty(), Report),
        ("outlier_detection", m.outlier_detection.is_some(), Report),
        (
            "per_connection_buffer_limit_bytes",
            m.per_connection_buffer_limit_bytes.is_some(),
            Report,
        ),
        ("dns_refresh_rate", m.dns_refresh_rate.is_some(), Report),
        ("dns_jitter", m.dns_jitter.is_some(), Report),
        (
            "dns_failure_refresh_rate",
            m.dns_failure_refresh_rate.is_some(),
            Report,
        ),
        ("respect_dns_ttl", m.respect_dns_ttl, Report),
        ("dns_lookup_family", m.dns_lookup_family != 0, Report),
        ("dns_resolvers", !m.dns_resolvers.is_empty(), Report),
        ("use_tcp_for_dns_lookups", m.use_tcp_for_dns_lookups, Report),
        (
            "dns_resolution_config",
            m.dns_resolution_config.is_some(),
            Report,
        ),
        (
            "typed_dns_resolver_config",
            m.typed_dns_resolver_config.is_some(),
            Report,
        ),
        ("cleanup_interval", m.cleanup_interval.is_some(), Report),
        (
            "upstream_connection_options",
            m.upstream_connection_options.is_some(),
            Report,
        ),
        (
            "close_connections_on_host_health_failure",
            m.close_connections_on_host_health_failure,
            Report,
        ),
        (
            "ignore_health_on_host_removal",
            m.ignore_health_on_host_removal,
            Report,
        ),
        ("track_timeout_budgets", m.track_timeout_budgets, Report),
        ("preconnect_policy", m.preconnect_policy.is_some(), Report),
        ("queuing_policies", m.queuing_policies.is_some(), Report),
        (
            "connection_pool_per_downstream_connection",
            m.connection_pool_per_downstream_connection,
            Report,
        ),
        ("lrs_server", m.lrs_server.is_some(), Report),
        (
            "lrs_report_endpoint_metrics",
            !m.lrs_report_endpoint_metrics.is_empty(),
            Report,
        ),
    ])
}
