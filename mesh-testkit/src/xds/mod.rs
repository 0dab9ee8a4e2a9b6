//! Short functions that build xDS resources, so that a scenario reads as a script.
//!
//! ```
//! use mesh_testkit::xds;
//! # let (v1, v2) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
//!
//! let scenario = (
//!     xds::listener("greeter", "greeter-routes"),
//!     xds::routes("greeter-routes", &[("v1", 90), ("v2", 10)]),
//!     xds::cluster("v1"),
//!     xds::cluster("v2").max_requests(100),
//!     xds::endpoints("v1", &[v1]),
//!     xds::endpoints("v2", &[v2]),
//! );
//! # let mut list = Vec::new();
//! # mesh_testkit::control::Resources::add_to(scenario, &mut list);
//! # assert_eq!(list.len(), 6);
//! ```
//!
//! Each builder has `edit`, for what has no setter, and `build`, which gives the message. All
//! references between resources go through ADS.

mod cluster;
mod endpoints;
mod fault;
mod listener;
mod route;
mod route_config;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, time::Duration};

use mesh_proto::envoy::config::core::v3::address::Address as Place;
use mesh_proto::envoy::config::core::v3::config_source::ConfigSourceSpecifier;
use mesh_proto::envoy::config::core::v3::socket_address::PortSpecifier;
use mesh_proto::envoy::config::core::v3::{
    AggregatedConfigSource, ApiVersion, ConfigSource, SocketAddress,
};
use mesh_proto::envoy::r#type::v3::FractionalPercent;
use mesh_proto::envoy::r#type::v3::fractional_percent::DenominatorType;

pub use cluster::{ClusterBuilder, cluster};
pub use endpoints::{EndpointsBuilder, LocalityBuilder, endpoints, locality, no_endpoints};
pub use fault::{FaultBuilder, fault};
pub use listener::{ListenerBuilder, listener};
pub use route::{RetryBuilder, RouteBuilder, direct, retry, split, to};
pub use route_config::{RouteConfigBuilder, route_config, routes};

/// Gives a builder its conversions: `edit`, `build`, and publishing.
macro_rules! builder {
    ($builder:ident { $field:ident: $message:ty }) => {
        impl $builder {
            /// Changes the message itself.
            #[must_use]
            pub fn edit(mut self, edit: impl FnOnce(&mut $message)) -> Self {
                edit(&mut self.$field);
                self
            }

            /// The message.
            #[must_use]
            pub fn build(self) -> $message {
                self.$field
            }
        }

        impl From<$builder> for $message {
            fn from(builder: $builder) -> Self {
                builder.build()
            }
        }
    };
    ($builder:ident { $field:ident: $message:ty }, resource) => {
        $crate::xds::builder!($builder { $field: $message });

        impl From<$builder> for $crate::control::Resource {
            fn from(builder: $builder) -> Self {
                builder.build().into()
            }
        }

        impl $crate::control::Resources for $builder {
            fn add_to(self, list: &mut Vec<$crate::control::Resource>) {
                list.push(self.into());
            }
        }
    };
}

use builder;

/// "Ask the control plane that you have this from."
fn ads() -> ConfigSource {
    ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        config_source_specifier: Some(ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
        ..ConfigSource::default()
    }
}

/// # Panics
/// If the duration is longer than protobuf can say.
fn duration(of: Duration) -> Option<prost_types::Duration> {
    Some(of.try_into().expect("a duration that protobuf can say"))
}

/// Percent with a precision of 1 / 10,000.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a percentage is small and not negative"
)]
fn percent(percent: f64) -> Option<FractionalPercent> {
    Some(FractionalPercent {
        numerator: (percent * 10_000.0).round() as u32,
        denominator: DenominatorType::Million.into(),
    })
}

fn socket(at: SocketAddr) -> Place {
    Place::SocketAddress(SocketAddress {
        address: at.ip().to_string(),
        port_specifier: Some(PortSpecifier::PortValue(at.port().into())),
        ..SocketAddress::default()
    })
}
