//! Endpoints: addresses with weight, health, locality and priority.

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc};

use serde::Serialize;

use super::Fraction;
use crate::name::EndpointKey;

/// The endpoints of a cluster (a ClusterLoadAssignment).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointsConfig {
    /// Groups of endpoints; each belongs to one priority.
    pub localities: Vec<LocalityConfig>,
    /// Percent by which healthy endpoints may be overbooked before a lower priority gets requests
    /// (Envoy). Default 140.
    pub overprovisioning_factor: u32,
    /// Shares of requests to be dropped before any other decision, each drawn apart, in order.
    pub drops: Vec<DropOverload>,
}

impl Default for EndpointsConfig {
    fn default() -> Self {
        Self {
            localities: Vec::new(),
            overprovisioning_factor: 140,
            drops: Vec::new(),
        }
    }
}

impl EndpointsConfig {
    /// One locality of equal, healthy endpoints.
    pub fn of(addresses: impl IntoIterator<Item = Address>) -> Self {
        let endpoints = addresses.into_iter().map(EndpointConfig::new).collect();
        let locality = LocalityConfig {
            id: Locality::default(),
            priority: 0,
            weight: Some(1),
            endpoints,
        };
        Self {
            localities: vec![locality],
            ..Self::default()
        }
    }
}

/// Endpoints of one place and one priority.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LocalityConfig {
    /// The place.
    pub id: Locality,
    /// 0 is preferred.
    pub priority: u32,
    /// Its share of its priority; a locality without one gets nothing where localities are
    /// weighted.
    pub weight: Option<u32>,
    /// Its endpoints.
    pub endpoints: Vec<EndpointConfig>,
}

/// A place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Locality {
    /// For instance a cloud's region.
    pub region: Arc<str>,
    /// A zone of it.
    pub zone: Arc<str>,
    /// A part of that.
    pub sub_zone: Arc<str>,
}

impl fmt::Display for Locality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.region, self.zone, self.sub_zone)
    }
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointConfig {
    /// Where it listens.
    pub address: Address,
    /// Its share among its equals; at least 1.
    pub weight: u32,
    /// What the control plane says of it.
    pub health: HealthStatus,
    /// Its name, for authority rewriting; may be empty.
    pub hostname: Arc<str>,
}

impl EndpointConfig {
    /// A healthy endpoint of weight 1.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            weight: 1,
            health: HealthStatus::Healthy,
            hostname: "".into(),
        }
    }

    /// What tells it from the other endpoints of its cluster.
    #[must_use]
    pub fn key(&self) -> EndpointKey {
        self.address.to_string().into()
    }
}

/// Where an endpoint listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Address {
    /// An IP address and a port.
    Socket(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Socket(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// What a control plane says of an endpoint's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum HealthStatus {
    /// Usable: HEALTHY or UNKNOWN.
    Healthy,
    /// Usable where nothing better is left (Envoy); unusable in dialect grpc.
    Degraded,
    /// Not to be used, but still counted: UNHEALTHY or TIMEOUT.
    Unhealthy,
    /// Not to be used and not counted (Envoy leaves it out of the denominator).
    Draining,
}

/// A share of requests to drop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DropOverload {
    /// The category's name, for counters and messages.
    pub category: Arc<str>,
    /// Which share.
    pub fraction: Fraction,
}
