//! Listeners of the client's kind: an API listener with a connection manager.

use std::time::Duration;

use mesh_proto::envoy::config::core::v3::HttpProtocolOptions;
use mesh_proto::envoy::config::listener::v3::{ApiListener, Listener};
use mesh_proto::envoy::config::route::v3::RouteConfiguration;
use mesh_proto::envoy::extensions::filters::http::router::v3::Router;
use mesh_proto::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::RouteSpecifier;
use mesh_proto::envoy::extensions::filters::network::http_connection_manager::v3::http_filter::ConfigType;
use mesh_proto::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, HttpFilter, Rds,
};
use mesh_proto::{Any, TypeUrl};

use super::{FaultBuilder, ads, duration};
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
        manager: HttpConnectionManager {
            stat_prefix: name.to_owned(),
            http_filters: vec![filter("router", Any::pack(&Router::default()))],
            route_specifier: Some(RouteSpecifier::Rds(rds)),
            ..HttpConnectionManager::default()
        },
    }
}

/// Builds a listener.
#[derive(Clone, Debug)]
pub struct ListenerBuilder {
    name: String,
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
        let mut added = filter(name, config);
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

    /// Changes the connection manager itself.
    #[must_use]
    pub fn edit(mut self, edit: impl FnOnce(&mut HttpConnectionManager)) -> Self {
        edit(&mut self.manager);
        self
    }

    /// The message.
    #[must_use]
    pub fn build(self) -> Listener {
        Listener {
            name: self.name,
            api_listener: Some(ApiListener {
                api_listener: Some(Any::pack(&self.manager)),
            }),
            ..Listener::default()
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

fn filter(name: &str, config: Any) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(ConfigType::TypedConfig(config)),
        ..HttpFilter::default()
    }
}
