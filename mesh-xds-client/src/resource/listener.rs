//! Listeners, seen from the calling side (gRFC A27: `api_listener`).

use std::{sync::Arc, time::Duration};

use mesh_core::{config::ListenerConfig, name::RouteConfigName};
use mesh_proto::envoy::{
    config::listener::v3::Listener,
    extensions::filters::network::http_connection_manager::v3::{
        HttpConnectionManager, Rds, http_connection_manager::RouteSpecifier,
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
    let unused = unsupported::listener(listener);
    r.unused(&At::ROOT, &unused);
    let outer = At::ROOT.field("api_listener");
    let Some(api_listener) = &listener.api_listener else {
        // gRFC A74: a client has no use for a socket.
        r.error(&outer, "is missing: a client needs an API listener");
        return None;
    };
    let at = outer.field("api_listener");
    let Some(any) = &api_listener.api_listener else {
        r.error(&at, "is missing");
        return None;
    };
    let manager: HttpConnectionManager = r.unpack(&at, any)?;
    check_manager(r, &at, &manager);
    let filters = r.filter_chain(&at.field("http_filters"), &manager.http_filters);
    let max_stream_duration = max_stream_duration(r, &at, &manager);
    let routes = route_source(r, &at, &manager, &listener.name);
    Some(Resource::Listener(Arc::new(ListenerResource {
        config: ListenerConfig {
            name: listener.name.as_str().into(),
            filters,
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

fn route_source(
    r: &mut Reader<'_>,
    at: &At<'_>,
    manager: &HttpConnectionManager,
    listener: &str,
) -> Option<RouteSource> {
    match manager.route_specifier.as_ref() {
        Some(RouteSpecifier::Rds(rds)) => rds_name(r, &at.field("rds"), rds),
        Some(RouteSpecifier::RouteConfig(config)) => {
            let config = route::configuration(r, &at.field("route_config"), config, listener);
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
