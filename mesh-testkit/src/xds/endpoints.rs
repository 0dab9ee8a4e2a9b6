//! Endpoints by locality and priority.

use std::net::SocketAddr;
use std::path::Path;

use mesh_proto::envoy::config::core::v3::address::Address as Place;
use mesh_proto::envoy::config::core::v3::{Address, HealthStatus, Locality, Pipe};
use mesh_proto::envoy::config::endpoint::v3::cluster_load_assignment::Policy;
use mesh_proto::envoy::config::endpoint::v3::cluster_load_assignment::policy::DropOverload;
use mesh_proto::envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use mesh_proto::envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints,
};

use super::{builder, percent, socket};

/// Endpoints of a cluster, all alike: one locality, named `local`, of priority 0.
#[must_use]
pub fn endpoints(cluster: &str, addresses: &[SocketAddr]) -> EndpointsBuilder {
    let mut local = locality("local");
    for address in addresses {
        local = local.endpoint(*address);
    }
    no_endpoints(cluster).locality(local)
}

/// A cluster's endpoints: none so far.
#[must_use]
pub fn no_endpoints(cluster: &str) -> EndpointsBuilder {
    EndpointsBuilder {
        assignment: ClusterLoadAssignment {
            cluster_name: cluster.to_owned(),
            ..ClusterLoadAssignment::default()
        },
    }
}

/// Builds a cluster's endpoints.
#[derive(Clone, Debug)]
pub struct EndpointsBuilder {
    assignment: ClusterLoadAssignment,
}

builder!(
    EndpointsBuilder {
        assignment: ClusterLoadAssignment
    },
    resource
);

impl EndpointsBuilder {
    /// Adds a locality.
    #[must_use]
    pub fn locality(self, locality: LocalityBuilder) -> Self {
        self.edit(|assignment| assignment.endpoints.push(locality.build()))
    }

    /// Drops this share of requests, in percent, under this category.
    #[must_use]
    pub fn drop(self, category: &str, share: f64) -> Self {
        self.edit(|assignment| {
            let policy: &mut Policy = assignment.policy.get_or_insert_default();
            policy.drop_overloads.push(DropOverload {
                category: category.to_owned(),
                drop_percentage: percent(share),
            });
        })
    }

    /// The overprovisioning factor, in percent; 140 unless set.
    #[must_use]
    pub fn overprovisioning(self, factor: u32) -> Self {
        self.edit(|assignment| {
            let policy = assignment.policy.get_or_insert_default();
            policy.overprovisioning_factor = Some(factor);
        })
    }
}

/// A locality in this zone, of weight 1 and priority 0, without endpoints.
#[must_use]
pub fn locality(zone: &str) -> LocalityBuilder {
    LocalityBuilder {
        locality: LocalityLbEndpoints {
            locality: Some(Locality {
                zone: zone.to_owned(),
                ..Locality::default()
            }),
            load_balancing_weight: Some(1),
            ..LocalityLbEndpoints::default()
        },
    }
}

/// Builds a locality. `weight` and `health` change the endpoint added last.
#[derive(Clone, Debug)]
pub struct LocalityBuilder {
    locality: LocalityLbEndpoints,
}

builder!(LocalityBuilder {
    locality: LocalityLbEndpoints
});

impl LocalityBuilder {
    /// The priority; 0 is the highest.
    #[must_use]
    pub fn priority(self, priority: u32) -> Self {
        self.edit(|locality| locality.priority = priority)
    }

    /// The locality's weight.
    #[must_use]
    pub fn locality_weight(self, weight: u32) -> Self {
        self.edit(|locality| locality.load_balancing_weight = Some(weight))
    }

    /// Adds an endpoint.
    #[must_use]
    pub fn endpoint(self, address: SocketAddr) -> Self {
        self.place(socket(address))
    }

    /// Adds an endpoint behind a Unix socket.
    #[must_use]
    pub fn unix(self, path: &Path) -> Self {
        self.place(Place::Pipe(Pipe {
            path: path.display().to_string(),
            ..Pipe::default()
        }))
    }

    /// The weight of the endpoint added last.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn weight(self, weight: u32) -> Self {
        self.edit_last(|endpoint| endpoint.load_balancing_weight = Some(weight))
    }

    /// The health of the endpoint added last.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn health(self, health: HealthStatus) -> Self {
        self.edit_last(|endpoint| endpoint.health_status = health.into())
    }

    /// Changes the endpoint added last.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn edit_last(self, edit: impl FnOnce(&mut LbEndpoint)) -> Self {
        self.edit(|locality| edit(locality.lb_endpoints.last_mut().expect("an endpoint")))
    }

    fn place(self, place: Place) -> Self {
        let endpoint = Endpoint {
            address: Some(Address {
                address: Some(place),
            }),
            ..Endpoint::default()
        };
        self.edit(|locality| {
            locality.lb_endpoints.push(LbEndpoint {
                host_identifier: Some(HostIdentifier::Endpoint(endpoint)),
                ..LbEndpoint::default()
            });
        })
    }
}
