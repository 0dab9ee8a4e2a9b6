//! Route configurations.

use mesh_proto::envoy::config::route::v3::{RouteConfiguration, VirtualHost};

use super::{RetryBuilder, RouteBuilder, builder, split};

/// A route configuration that sends everything to these clusters, by weight.
#[must_use]
pub fn routes(name: &str, clusters: &[(&str, u32)]) -> RouteConfigBuilder {
    route_config(name).host(&["*"], [split(clusters)])
}

/// A route configuration without virtual hosts.
#[must_use]
pub fn route_config(name: &str) -> RouteConfigBuilder {
    RouteConfigBuilder {
        config: RouteConfiguration {
            name: name.to_owned(),
            ..RouteConfiguration::default()
        },
    }
}

/// Builds a route configuration.
#[derive(Clone, Debug)]
pub struct RouteConfigBuilder {
    config: RouteConfiguration,
}

builder!(
    RouteConfigBuilder {
        config: RouteConfiguration
    },
    resource
);

impl RouteConfigBuilder {
    /// Adds a virtual host for these domains. It is named after the first.
    #[must_use]
    pub fn host<I>(mut self, domains: &[&str], routes: I) -> Self
    where
        I: IntoIterator<Item = RouteBuilder>,
    {
        self.config.virtual_hosts.push(VirtualHost {
            name: domains.first().map(ToString::to_string).unwrap_or_default(),
            domains: domains.iter().map(ToString::to_string).collect(),
            routes: routes.into_iter().map(RouteBuilder::build).collect(),
            ..VirtualHost::default()
        });
        self
    }

    /// Lets all virtual hosts added so far retry.
    #[must_use]
    pub fn retry(mut self, policy: RetryBuilder) -> Self {
        let policy = policy.build();
        for host in &mut self.config.virtual_hosts {
            host.retry_policy = Some(policy.clone());
        }
        self
    }
}
