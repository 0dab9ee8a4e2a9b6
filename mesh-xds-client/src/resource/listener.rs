//! Listeners: the connection manager that a program's requests go through. A client's is the API
//! listener (gRFC A27); in dialect envoy it may be that of a socket instead, for what listens there.

use std::{sync::Arc, time::Duration};

use mesh_core::{
    config::{ClientTimeouts, ListenerConfig},
    name::RouteConfigName,
};
use mesh_proto::{
    Any,
    envoy::{
        config::listener::v3::{FilterChain, Listener, filter},
        extensions::filters::network::http_connection_manager::v3::{
            HttpConnectionManager, Rds, http_connection_manager::RouteSpecifier,
        },
    },
};

use super::{
    Resource,
    at::At,
    reader::Reader,
    route::{self, RouteConfigResource},
    unsupported,
};

/// A Listener resource.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenerResource {
    /// Its filters.
    pub config: ListenerConfig,
    /// Where its routes are.
    pub routes: RouteSource,
    /// How long an exchange may take where the route does not say (gRFC A31). Zero: no limit.
    pub max_stream_duration: Option<Duration>,
}

/// Where a listener's routes are.
#[derive(Clone, Debug, PartialEq)]
pub enum RouteSource {
    /// In a RouteConfiguration of this name.
    Rds(RouteConfigName),
    /// In the listener.
    Inline(RouteConfigResource),
}

pub(super) fn read(r: &mut Reader<'_>, listener: &Listener) -> Option<Resource> {
    match &listener.api_listener {
        Some(api_listener) => {
            let unused = unsupported::listener(listener);
            r.unused(&At::ROOT, &unused);
            let outer = At::ROOT.field("api_listener");
            let at = outer.field("api_listener");
            let Some(manager) = &api_listener.api_listener else {
                r.error(&at, "is missing");
                return None;
            };
            read_manager(r, &at, manager, listener)
        }
        // gRFC A74: a client has no use for a socket.
        None if r.is_grpc() => {
            let reason = "is missing: a client needs an API listener";
            r.error(&At::ROOT.field("api_listener"), reason);
            None
        }
        None => read_socket(r, listener),
    }
}

/// Reads what serves a socket: one filter chain with one filter, a connection manager. Where another
/// would be chosen or more would be done, nothing is served.
fn read_socket(r: &mut Reader<'_>, listener: &Listener) -> Option<Resource> {
    let unused = unsupported::socket(listener);
    r.unused(&At::ROOT, &unused);
    let chains = At::ROOT.field("filter_chains");
    let (first, fallback) = (chains.index(0), At::ROOT.field("default_filter_chain"));
    match (&listener.filter_chains[..], &listener.default_filter_chain) {
        ([chain], None) => read_chain(r, &first, chain, listener),
        ([], Some(chain)) => read_chain(r, &fallback, chain, listener),
        ([], None) => {
            r.error(&chains, "is empty, and there is no api_listener");
            None
        }
        _ => {
            r.error(
                &chains,
                "has several chains to choose from, which is not supported yet",
            );
            None
        }
    }
}

fn read_chain(
    r: &mut Reader<'_>,
    at: &At<'_>,
    chain: &FilterChain,
    listener: &Listener,
) -> Option<Resource> {
    let unused = unsupported::filter_chain(chain);
    r.unused(at, &unused);
    let filters = at.field("filters");
    let [only] = &chain.filters[..] else {
        r.error(&filters, "must hold one filter, an HTTP connection manager");
        return None;
    };
    let at = filters.index(0);
    match &only.config_type {
        Some(filter::ConfigType::TypedConfig(manager)) => {
            read_manager(r, &at.field("typed_config"), manager, listener)
        }
        Some(filter::ConfigType::ConfigDiscovery(_)) => {
            r.error(&at.field("config_discovery"), "is not supported yet");
            None
        }
        None => {
            r.error(&at.field("typed_config"), "is missing");
            None
        }
    }
}

fn read_manager(
    r: &mut Reader<'_>,
    at: &At<'_>,
    manager: &Any,
    listener: &Listener,
) -> Option<Resource> {
    let manager: HttpConnectionManager = r.unpack(at, manager)?;
    check_manager(r, at, &manager);
    let filters = r.filter_chain(&at.field("http_filters"), &manager.http_filters);
    let max_stream_duration = max_stream_duration(r, at, &manager);
    let timeouts = timeouts(r, at, &manager);
    let routes = route_source(r, at, &manager, &listener.name);
    Some(Resource::Listener(Arc::new(ListenerResource {
        config: ListenerConfig {
            name: listener.name.as_str().into(),
            filters,
            timeouts,
        },
        routes: routes?,
        max_stream_duration,
    })))
}

/// gRFC A41 and A36: who trusts hops or detects addresses in another way than gRPC does must not be
/// misled.
fn check_manager(r: &mut Reader<'_>, at: &At<'_>, manager: &HttpConnectionManager) {
    if r.is_grpc() && manager.xff_num_trusted_hops != 0 {
        r.error(&at.field("xff_num_trusted_hops"), "must be zero");
    }
    if r.is_grpc() && !manager.original_ip_detection_extensions.is_empty() {
        let place = at.field("original_ip_detection_extensions");
        r.error(&place, "must be empty");
    }
    let unused = unsupported::connection_manager(manager);
    r.unused(at, &unused);
}

fn max_stream_duration(
    r: &mut Reader<'_>,
    at: &At<'_>,
    manager: &HttpConnectionManager,
) -> Option<Duration> {
    let options = manager.common_http_protocol_options.as_ref()?;
    let place = at.field("common_http_protocol_options");
    let place = place.field("max_stream_duration");
    r.optional_duration(&place, options.max_stream_duration.as_ref())
}

/// What matters to whoever serves clients; others have none to wait for.
fn timeouts(r: &mut Reader<'_>, at: &At<'_>, manager: &HttpConnectionManager) -> ClientTimeouts {
    let options = manager.common_http_protocol_options.as_ref();
    let idle = options.and_then(|options| options.idle_timeout.as_ref());
    let place = at.field("common_http_protocol_options");
    let mut read = |place: At<'_>, field| r.optional_duration(&place, field);
    ClientTimeouts {
        idle: read(place.field("idle_timeout"), idle),
        stream_idle: read(
            at.field("stream_idle_timeout"),
            manager.stream_idle_timeout.as_ref(),
        ),
        request_headers: read(
            at.field("request_headers_timeout"),
            manager.request_headers_timeout.as_ref(),
        ),
        request: read(
            at.field("request_timeout"),
            manager.request_timeout.as_ref(),
        ),
    }
}

fn route_source(
    r: &mut Reader<'_>,
    at: &At<'_>,
    manager: &HttpConnectionManager,
    listener: &str,
) -> Option<RouteSource> {
    match manager.route_specifier.as_ref() {
        Some(RouteSpecifier::Rds(rds)) => rds_name(r, &at.field("rds"), rds),
        Some(RouteSpecifier::RouteConfig(config)) => {
            let config = route::inline(r, &at.field("route_config"), config, listener);
            Some(RouteSource::Inline(config))
        }
        Some(RouteSpecifier::ScopedRoutes(_)) => {
            r.error(&at.field("scoped_routes"), "is not supported");
            None
        }
        None => {
            r.error(at, "has neither rds nor route_config");
            None
        }
    }
}

fn rds_name(r: &mut Reader<'_>, at: &At<'_>, rds: &Rds) -> Option<RouteSource> {
    r.config_source(&at.field("config_source"), rds.config_source.as_ref());
    let name = r.filled(&at.field("route_config_name"), &rds.route_config_name)?;
    Some(RouteSource::Rds(name.into()))
}
