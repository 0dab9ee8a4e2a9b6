//! How clusters share requests.

use mesh_proto::envoy::{
    config::cluster::v3::cluster::{
        CommonLbConfig,
        common_lb_config::{LocalityConfigSpecifier, LocalityWeightedLbConfig, ZoneAwareLbConfig},
    },
    r#type::v3::Percent,
};
use mesh_testkit::xds::ClusterBuilder;

fn edit(cluster: ClusterBuilder, edit: impl FnOnce(&mut CommonLbConfig)) -> ClusterBuilder {
    cluster.edit(|cluster| edit(cluster.common_lb_config.get_or_insert_default()))
}

/// Panics where less than so many percent are healthy; at 0 never.
#[must_use]
pub fn panic_below(cluster: ClusterBuilder, percent: f64) -> ClusterBuilder {
    edit(cluster, |config| {
        config.healthy_panic_threshold = Some(Percent { value: percent });
    })
}

/// Fails requests in panic.
#[must_use]
pub fn fail_in_panic(cluster: ClusterBuilder) -> ClusterBuilder {
    let zones = ZoneAwareLbConfig {
        fail_traffic_on_panic: true,
        ..ZoneAwareLbConfig::default()
    };
    edit(cluster, |config| {
        let specifier = LocalityConfigSpecifier::ZoneAwareLbConfig(zones);
        config.locality_config_specifier = Some(specifier);
    })
}

/// Shares by the weights of localities.
#[must_use]
pub fn by_locality(cluster: ClusterBuilder) -> ClusterBuilder {
    let weighted = LocalityWeightedLbConfig::default();
    edit(cluster, |config| {
        let specifier = LocalityConfigSpecifier::LocalityWeightedLbConfig(weighted);
        config.locality_config_specifier = Some(specifier);
    })
}
