//! Fields of Listeners.

use mesh_proto::envoy::{
    config::listener::v3::{FilterChain, Listener},
    extensions::filters::network::http_connection_manager::v3::HttpConnectionManager,
};

use super::{
    Unused,
    Verdict::{Reject, Report},
    set,
};

/// Fields of a Listener beside its connection manager.
pub(in crate::resource) fn listener(m: &Listener) -> Vec<Unused> {
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

/// Fields of a Listener beside its filter chains. Where it listens is not asked of it: what serves a
/// socket brings its own.
pub(in crate::resource) fn socket(m: &Listener) -> Vec<Unused> {
    set([
        ("listener_filters", !m.listener_filters.is_empty(), Report),
        ("access_log", !m.access_log.is_empty(), Report),
    ])
}

/// Fields of a filter chain. Whoever it is not for, or would have to show a certificate, must not be
/// served by it.
pub(in crate::resource) fn filter_chain(m: &FilterChain) -> Vec<Unused> {
    let conditions = m.filter_chain_match.as_ref();
    let conditional = conditions.is_some_and(|it| *it != Default::default());
    set([
        ("filter_chain_match", conditional, Reject),
        ("transport_socket", m.transport_socket.is_some(), Reject),
        ("use_proxy_proto", m.use_proxy_proto == Some(true), Reject),
    ])
}

/// Fields of an HttpConnectionManager, seen from the calling side.
pub(in crate::resource) fn connection_manager(m: &HttpConnectionManager) -> Vec<Unused> {
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
        ("upgrade_configs", !m.upgrade_configs.is_empty(), Report),
        ("access_log", !m.access_log.is_empty(), Report),
        ("tracing", m.tracing.is_some(), Report),
    ])
}
