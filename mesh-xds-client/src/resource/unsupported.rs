//! Fields that are known and not carried out, and what is done about each in dialect envoy.
//!
//! In dialect grpc all of them are ignored, as gRPC ignores them, and reported. In dialect envoy a
//! field may be ignored only where that changes neither where a request goes nor what it says.

use mesh_proto::envoy::{
    config::{
        cluster::v3::Cluster,
        listener::v3::Listener,
        route::v3::{
            RetryPolicy, Route, RouteAction, RouteConfiguration, VirtualHost,
            route_action::{HostRewriteSpecifier, InternalRedirectAction},
            weighted_cluster::ClusterWeight,
        },
    },
    extensions::filters::network::http_connection_manager::v3::HttpConnectionManager,
};

/// A field that is set and not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unused {
    pub(super) field: &'static str,
    pub(super) verdict: Verdict,
}

/// What is done about it in dialect envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The resource is accepted, and the field reported.
    Report,
    /// The resource is accepted, and the routes concerned refuse their requests by the field's name.
    Refuse,
    /// The resource is refused.
    Reject,
}

use Verdict::{Refuse, Reject, Report};

/// Keeps the fields that are set.
fn set<const N: usize>(fields: [(&'static str, bool, Verdict); N]) -> Vec<Unused> {
    fields
        .into_iter()
        .filter(|&(_, set, _)| set)
        .map(|(field, _, verdict)| Unused { field, verdict })
        .collect()
}

/// Fields of a RouteConfiguration. What would concern every route is a reason to keep the last good
/// one instead.
pub(super) fn route_configuration(m: &RouteConfiguration) -> Vec<Unused> {
    set([
        ("vhds", m.vhds.is_some(), Reject),
        (
            "internal_only_headers",
            !m.internal_only_headers.is_empty(),
            Report,
        ),
        (
            "request_headers_to_add",
            !m.request_headers_to_add.is_empty(),
            Reject,
        ),
        (
            "request_headers_to_remove",
            !m.request_headers_to_remove.is_empty(),
            Reject,
        ),
        (
            "response_headers_to_add",
            !m.response_headers_to_add.is_empty(),
            Reject,
        ),
        (
            "response_headers_to_remove",
            !m.response_headers_to_remove.is_empty(),
            Reject,
        ),
        (
            "validate_clusters",
            m.validate_clusters == Some(true),
            Report,
        ),
        (
            "request_mirror_policies",
            !m.request_mirror_policies.is_empty(),
            Reject,
        ),
        ("vhost_header", !m.vhost_header.is_empty(), Reject),
        (
            "ignore_path_parameters_in_path_matching",
            m.ignore_path_parameters_in_path_matching,
            Reject,
        ),
        ("route_specifiers", !m.route_specifiers.is_empty(), Reject),
    ])
}

/// Fields of a VirtualHost.
pub(super) fn virtual_host(m: &VirtualHost) -> Vec<Unused> {
    set([
        ("matcher", m.matcher.is_some(), Reject),
        ("require_tls", m.require_tls != 0, Refuse),
        (
            "request_headers_to_add",
            !m.request_headers_to_add.is_empty(),
            Refuse,
        ),
        (
            "request_headers_to_remove",
            !m.request_headers_to_remove.is_empty(),
            Refuse,
        ),
        (
            "response_headers_to_add",
            !m.response_headers_to_add.is_empty(),
            Refuse,
        ),
        (
            "response_headers_to_remove",
            !m.response_headers_to_remove.is_empty(),
            Refuse,
        ),
        (
            "request_mirror_policies",
            !m.request_mirror_policies.is_empty(),
            Refuse,
        ),
        ("route_specifiers", !m.route_specifiers.is_empty(), Refuse),
        ("virtual_clusters", !m.virtual_clusters.is_empty(), Report),
        ("rate_limits", !m.rate_limits.is_empty(), Report),
        ("cors", m.cors.is_some(), Report),
        (
            "include_request_attempt_count",
            m.include_request_attempt_count,
            Report,
        ),
        (
            "include_attempt_count_in_response",
            m.include_attempt_count_in_response,
            Report,
        ),
        (
            "include_is_timeout_retry_header",
            m.include_is_timeout_retry_header,
            Report,
        ),
        (
            "retry_policy_typed_config",
            m.retry_policy_typed_config.is_some(),
            Report,
        ),
        ("hedge_policy", m.hedge_policy.is_some(), Report),
        (
            "per_request_buffer_limit_bytes",
            m.per_request_buffer_limit_bytes.is_some(),
            Report,
        ),
        (
            "request_body_buffer_limit",
            m.request_body_buffer_limit.is_some(),
            Report,
        ),
    ])
}

/// Fields of a Route.
pub(super) fn route(m: &Route) -> Vec<Unused> {
    set([
        (
            "request_headers_to_add",
            !m.request_headers_to_add.is_empty(),
            Refuse,
        ),
        (
            "request_headers_to_remove",
            !m.request_headers_to_remove.is_empty(),
            Refuse,
        ),
        (
            "response_headers_to_add",
            !m.response_headers_to_add.is_empty(),
            Refuse,
        ),
        (
            "response_headers_to_remove",
            !m.response_headers_to_remove.is_empty(),
            Refuse,
        ),
        ("route_specifiers", !m.route_specifiers.is_empty(), Refuse),
        ("tracing", m.tracing.is_some(), Report),
        (
            "per_request_buffer_limit_bytes",
            m.per_request_buffer_limit_bytes.is_some(),
            Report,
        ),
        (
            "request_body_buffer_limit",
            m.request_body_buffer_limit.is_some(),
            Report,
        ),
    ])
}

/// Fields of a RouteAction. `metadata_match` and `hash_policy` matter to clusters that balance by
/// subsets or by hash, and those are unavailable by themselves.
pub(super) fn route_action(m: &RouteAction) -> Vec<Unused> {
    set([
        ("prefix_rewrite", !m.prefix_rewrite.is_empty(), Refuse),
        ("regex_rewrite", m.regex_rewrite.is_some(), Refuse),
        (
            "path_rewrite_policy",
            m.path_rewrite_policy.is_some(),
            Refuse,
        ),
        ("path_rewrite", !m.path_rewrite.is_empty(), Refuse),
        (
            host_rewrite(m).unwrap_or_default(),
            host_rewrite(m).is_some(),
            Refuse,
        ),
        (
            "request_mirror_policies",
            !m.request_mirror_policies.is_empty(),
            Refuse,
        ),
        (
            "internal_redirect_policy",
            m.internal_redirect_policy.is_some(),
            Refuse,
        ),
        (
            "internal_redirect_action",
            m.internal_redirect_action
                != InternalRedirectAction::PassThroughInternalRedirect as i32,
            Refuse,
        ),
        ("metadata_match", m.metadata_match.is_some(), Report),
        ("hash_policy", !m.hash_policy.is_empty(), Report),
        ("append_x_forwarded_host", m.append_x_forwarded_host, Report),
        ("idle_timeout", m.idle_timeout.is_some(), Report),
        ("flush_timeout", m.flush_timeout.is_some(), Report),
        ("early_data_policy", m.early_data_policy.is_some(), Report),
        (
            "retry_policy_typed_config",
            m.retry_policy_typed_config.is_some(),
            Report,
        ),
        ("priority", m.priority != 0, Report),
        ("rate_limits", !m.rate_limits.is_empty(), Report),
        ("cors", m.cors.is_some(), Report),
        ("max_grpc_timeout", m.max_grpc_timeout.is_some(), Report),
        (
            "grpc_timeout_offset",
            m.grpc_timeout_offset.is_some(),
            Report,
        ),
        ("upgrade_configs", !m.upgrade_configs.is_empty(), Report),
        ("hedge_policy", m.hedge_policy.is_some(), Report),
    ])
}

/// The host rewrite of a route that is not a no-op.
fn host_rewrite(m: &RouteAction) -> Option<&'static str> {
    match m.host_rewrite_specifier.as_ref()? {
        HostRewriteSpecifier::AutoHostRewrite(false) => None,
        HostRewriteSpecifier::AutoHostRewrite(true) => Some("auto_host_rewrite"),
        HostRewriteSpecifier::HostRewriteLiteral(_) => Some("host_rewrite_literal"),
        HostRewriteSpecifier::HostRewriteHeader(_) => Some("host_rewrite_header"),
        HostRewriteSpecifier::HostRewritePathRegex(_) => Some("host_rewrite_path_regex"),
        HostRewriteSpecifier::HostRewrite(_) => Some("host_rewrite"),
    }
}

/// Fields of one of several clusters.
pub(super) fn cluster_weight(m: &ClusterWeight) -> Vec<Unused> {
    set([
        (
            "request_headers_to_add",
            !m.request_headers_to_add.is_empty(),
            Refuse,
        ),
        (
            "request_headers_to_remove",
            !m.request_headers_to_remove.is_empty(),
            Refuse,
        ),
        (
            "response_headers_to_add",
            !m.response_headers_to_add.is_empty(),
            Refuse,
        ),
        (
            "response_headers_to_remove",
            !m.response_headers_to_remove.is_empty(),
            Refuse,
        ),
        (
            "host_rewrite_literal",
            m.host_rewrite_specifier.is_some(),
            Refuse,
        ),
        ("metadata_match", m.metadata_match.is_some(), Report),
    ])
}

/// Fields of a RetryPolicy that only ever make more retries or place them better.
pub(super) fn retry_policy(m: &RetryPolicy) -> Vec<Unused> {
    set([
        (
            "per_try_idle_timeout",
            m.per_try_idle_timeout.is_some(),
            Report,
        ),
        ("retry_priority", m.retry_priority.is_some(), Report),
        (
            "retry_host_predicate",
            !m.retry_host_predicate.is_empty(),
            Report,
        ),
        (
            "retry_options_predicates",
            !m.retry_options_predicates.is_empty(),
            Report,
        ),
        (
            "host_selection_retry_max_attempts",
            m.host_selection_retry_max_attempts != 0,
            Report,
        ),
        (
            "rate_limited_retry_back_off",
            m.rate_limited_retry_back_off.is_some(),
            Report,
        ),
        ("retriable_headers", !m.retriable_headers.is_empty(), Report),
        (
            "refresh_cluster_on_retry",
            m.refresh_cluster_on_retry,
            Report,
        ),
    ])
}

/// Fields of a Listener beside its connection manager.
pub(super) fn listener(m: &Listener) -> Vec<Unused> {
    set([
        ("address", m.address.is_some(), Report),
        ("filter_chains", !m.filter_chains.is_empty(), Report),
        (
            "default_filter_chain",
            m.default_filter_chain.is_some(),
            Report,
        ),
        ("listener_filters", !m.listener_filters.is_empty(), Report),
        ("access_log", !m.access_log.is_empty(), Report),
    ])
}

/// Fields of an HttpConnectionManager, seen from the calling side.
pub(super) fn connection_manager(m: &HttpConnectionManager) -> Vec<Unused> {
    set([
        ("normalize_path", m.normalize_path == Some(true), Reject),
        ("merge_slashes", m.merge_slashes, Reject),
        // 0 and 1 leave the path as it is.
        (
            "path_with_escaped_slashes_action",
            m.path_with_escaped_slashes_action > 1,
            Reject,
        ),
        (
            "path_normalization_options",
            m.path_normalization_options.is_some(),
            Reject,
        ),
        (
            "strip_matching_host_port",
            m.strip_matching_host_port,
            Reject,
        ),
        ("strip_any_host_port", m.strip_port_mode.is_some(), Reject),
        ("strip_trailing_host_dot", m.strip_trailing_host_dot, Reject),
        (
            "early_header_mutation_extensions",
            !m.early_header_mutation_extensions.is_empty(),
            Reject,
        ),
        (
            "scheme_header_transformation",
            m.scheme_header_transformation.is_some(),
            Reject,
        ),
        ("local_reply_config", m.local_reply_config.is_some(), Reject),
        ("via", !m.via.is_empty(), Reject),
        ("append_x_forwarded_port", m.append_x_forwarded_port, Reject),
        ("add_user_agent", m.add_user_agent == Some(true), Reject),
        ("xff_num_trusted_hops", m.xff_num_trusted_hops != 0, Report),
        (
            "original_ip_detection_extensions",
            !m.original_ip_detection_extensions.is_empty(),
            Report,
        ),
        (
            "stream_idle_timeout",
            m.stream_idle_timeout.is_some(),
            Report,
        ),
        ("request_timeout", m.request_timeout.is_some(), Report),
        (
            "request_headers_timeout",
            m.request_headers_timeout.is_some(),
            Report,
        ),
        ("upgrade_configs", !m.upgrade_configs.is_empty(), Report),
        ("access_log", !m.access_log.is_empty(), Report),
        ("tracing", m.tracing.is_some(), Report),
    ])
}

/// Fields of a Cluster.
pub(super) fn cluster(m: &Cluster) -> Vec<Unused> {
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
