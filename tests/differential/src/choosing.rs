//! Routes that a header of the request leads to a cluster.

use mesh_proto::envoy::config::route::v3::{
    route_action::ClusterSpecifier, weighted_cluster::RandomValueSpecifier,
};
use mesh_testkit::xds::{RouteBuilder, to};

/// A route to the cluster that this header names.
#[must_use]
pub fn by_cluster_header(name: &str) -> RouteBuilder {
    let specifier = ClusterSpecifier::ClusterHeader(name.to_owned());
    to("-").edit_action(|action| action.cluster_specifier = Some(specifier))
}

/// Routes to clusters by weight.
pub trait Choosing {
    /// Takes the number in this header instead of a random one.
    #[must_use]
    fn dice_in(self, header: &str) -> Self;
}

impl Choosing for RouteBuilder {
    fn dice_in(self, header: &str) -> Self {
        self.edit_action(|action| match &mut action.cluster_specifier {
            Some(ClusterSpecifier::WeightedClusters(clusters)) => {
                let name = RandomValueSpecifier::HeaderName(header.to_owned());
                clusters.random_value_specifier = Some(name);
            }
            other => panic!("{other:?} has no weights"),
        })
    }
}
