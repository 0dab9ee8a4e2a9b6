//! Listeners of the client's kind: an API listener with a connection manager.

use std::{net::SocketAddr, time::Duration};

use mesh_proto::envoy::config::core::v3::{Address, HttpProtocolOptions};
use mesh_proto::envoy::config::listener::v3::{
    ApiListener, Filter, FilterChain, Listener, filter,
};
use mesh_proto::envoy::config::route::v3::RouteConfiguration;
use mesh_proto::envoy::extensions::filters::http::router::v3::Router;
use mesh_proto::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::RouteSpecifier;
use mesh_proto::envoy::extensions::filters::network::http_connection_manager::v3::http_filter::ConfigType;
use mesh_proto::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, HttpFilter, Rds,
};
use mesh_proto::{Any, TypeUrl};

use super::{FaultBuilder, ads, duration, socket};
use crate::control::{Resource, Resources};

/// A listener for the target `name`, which takes its routes from the route configuration `routes`.
#[must_use]
pub fn listener(name: &str, routes: &str) -> ListenerBuilder {
    let rds = Rds {
        config_source: Some(ads()),
        route_config_name: routes.to_owned(),
    };
    ListenerBuilder {
        name: name.to_owned(),
        socket: None,
        manager: HttpConnectionManager {
            stat_prefix: name.to_owned(),
            http_filters: vec![http_filter("router", Any::pack(&Router::default()))],
            route_specifier: Some(RouteSpecifier::Rds(rds)),
            ..HttpConnectionManager::default()
        },
    }
}

/// Builds a listener.
#[derive(Clone, Debug)]
pub struct ListenerBuilder {
    name: String,
    socket: Option<SocketAddr>,
    manager: HttpConnectionManager,
}

impl ListenerBuilder {
    /// Holds its routes itself.
    #[must_use]
    pub fn inline(mut self, routes: impl Into<RouteConfiguration>) -> Self {
        self.manager.route_specifier = Some(RouteSpecifier::RouteConfig(routes.into()));
        self
    }

    /// Adds a filter after the others, and before the router.
    #[must_use]
    pub fn filter<T: TypeUrl>(self, name: &str, config: &T) -> Self {
        self.filter_any(name, Any::pack(config), false)
    }

    /// Adds a filter from packed bytes. An `optional` one may be unknown to the client.
    #[must_use]
    pub fn filter_any(mut self, name: &str, config: Any, optional: bool) -> Self {
        let before_router = self.manager.http_filters.len().saturating_sub(1);
        let mut added = http_filter(name, config);
        added.is_optional = optional;
        self.manager.http_filters.insert(before_router, added);
        self
    }

    /// Adds the fault filter under the name `fault`.
    #[must_use]
    pub fn fault(self, fault: FaultBuilder) -> Self {
        self.filter("fault", &fault.build())
    }

    /// Bounds every stream that its route does not bound otherwise.
    #[must_use]
    pub fn max_stream_duration(mut self, limit: Duration) -> Self {
        self.manager.common_http_protocol_options = Some(HttpProtocolOptions {
            max_stream_duration: duration(limit),
            ..HttpProtocolOptions::default()
        });
        self
    }

    /// Bounds how long nothing may happen to a request.
    #[must_use]
    pub fn stream_idle_timeout(mut self, limit: Duration) -> Self {
        self.manager.stream_idle_timeout = duration(limit);
        self
    }

    /// Bounds how long a request may take to be complete.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.manager.request_timeout = duration(limit);
        self
    }

    /// Bounds how long the head of a request may take to be complete.
    #[must_use]
    pub fn request_headers_timeout(mut self, limit: Duration) -> Self {
        self.manager.request_headers_timeout = duration(limit);
        self
    }

    /// Changes the connection manager itself.
    #[must_use]
    pub fn edit(mut self, edit: impl FnOnce(&mut HttpConnectionManager)) -> Self {
        edit(&mut self.manager);
        self
    }

    /// Is a proxy's, which listens at `at`: its manager is the only filter of its only chain.
    #[must_use]
    pub const fn socket(mut self, at: SocketAddr) -> Self {
        self.socket = Some(at);
        self
    }

    /// The message.
    #[must_use]
    pub fn build(self) -> Listener {
        let manager = Any::pack(&self.manager);
        let empty = Listener {
            name: self.name,
            ..Listener::default()
        };
        match self.socket {
            None => Listener {
                api_listener: Some(ApiListener {
                    api_listener: Some(manager),
                }),
                ..empty
            },
            Some(at) => Listener {
                address: Some(Address {
                    address: Some(socket(at)),
                }),
                filter_chains: vec![FilterChain {
                    filters: vec![Filter {
                        name: "manager".to_owned(),
                        config_type: Some(filter::ConfigType::TypedConfig(manager)),
                    }],
                    ..FilterChain::default()
                }],
                ..empty
            },
        }
    }
}

impl From<ListenerBuilder> for Listener {
    fn from(builder: ListenerBuilder) -> Self {
        builder.build()
    }
}

impl From<ListenerBuilder> for Resource {
    fn from(builder: ListenerBuilder) -> Self {
        builder.build().into()
    }
}

impl Resources for ListenerBuilder {
    fn add_to(self, list: &mut Vec<Resource>) {
        list.push(self.into());
    }
}

fn http_filter(name: &str, config: Any) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(ConfigType::TypedConfig(config)),
        ..HttpFilter::default()
    }
}
