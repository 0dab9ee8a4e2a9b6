//! Fields of RouteConfigurations.

use mesh_proto::envoy::config::route::v3::{
    RetryPolicy, Route, RouteAction, RouteConfiguration, VirtualHost,
    route_action::{HostRewriteSpecifier, InternalRedirectAction},
    weighted_cluster::ClusterWeight,
};

use super::{
    Unused,
    Verdict::{Refuse, Reject, Report},
    set,
};

/// Fields of a RouteConfiguration. What would concern every route is a reason to keep the last good
/// one instead.
pub(in crate::resource) fn route_configuration(m: &RouteConfiguration) -> Vec<Unused> {
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
pub(in crate::resource) fn virtual_host(m: &VirtualHost) -> Vec<Unused> {
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
pub(in crate::resource) fn route(m: &Route) -> Vec<Unused> {
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
pub(in crate::resource) fn route_action(m: &RouteAction) -> Vec<Unused> {
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
pub(in crate::resource) fn cluster_weight(m: &ClusterWeight) -> Vec<Unused> {
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
pub(in crate::resource) fn retry_policy(m: &RetryPolicy) -> Vec<Unused> {
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
