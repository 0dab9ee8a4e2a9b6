//! Route tables, all of them valid.

use std::collections::HashSet;

use mesh_proto::envoy::{
    config::{
        core::v3::RuntimeFractionalPercent,
        route::v3::{
            Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost, WeightedCluster,
            route::Action,
            route_action::{ClusterNotFoundResponseCode as NotFound, ClusterSpecifier},
            route_match::GrpcRouteMatchOptions,
            weighted_cluster::{ClusterWeight, RandomValueSpecifier},
        },
    },
    r#type::v3::FractionalPercent,
};
use mesh_testkit::Seeded;

use super::{condition, domain, path, word};

/// Clusters of one server each, named as they are.
pub(super) const SERVERS: [&str; 4] = ["a", "b", "c", "d"];
/// A cluster without endpoints.
pub(super) const EMPTY: &str = "empty";
/// A cluster that is not there.
pub(super) const MISSING: &str = "missing";
/// What stands for the dice where a route leads to several clusters.
pub(super) const DICE: &str = "x-pick";
/// What may name the cluster.
pub(super) const CLUSTER: &str = "x-cluster";

/// A table, without a name.
pub(super) fn routes(random: &mut Seeded) -> RouteConfiguration {
    let mut taken = HashSet::new();
    let mut hosts = Vec::new();
    for place in 0..random.in_range(1..7) {
        let domains: Vec<_> = (0..random.in_range(1..4))
            .map(|_| domain::domain(random))
            .filter(|domain| taken.insert(domain.to_ascii_lowercase()))
            .collect();
        if !domains.is_empty() {
            hosts.push(host(random, place, domains));
        }
    }
    RouteConfiguration {
        virtual_hosts: hosts,
        ignore_port_in_host_matching: random.percent(20),
        ..RouteConfiguration::default()
    }
}

fn host(random: &mut Seeded, place: u64, domains: Vec<String>) -> VirtualHost {
    // Now and then so many that it pays to have an index of them.
    let count = match random.percent(10) {
        true => random.in_range(20..60),
        false => random.in_range(0..7),
    };
    VirtualHost {
        name: format!("host-{place}"),
        domains,
        routes: (0..count).map(|_| route(random)).collect(),
        ..VirtualHost::default()
    }
}

fn route(random: &mut Seeded) -> Route {
    let headers = *random.pick(&[0, 0, 0, 0, 1, 1, 2]);
    let parameters = *random.pick(&[0, 0, 0, 0, 0, 1, 2]);
    let mut conditions = RouteMatch {
        path_specifier: Some(path::condition(random)),
        case_sensitive: random.percent(30).then(|| random.percent(20)),
        grpc: random.percent(5).then(GrpcRouteMatchOptions::default),
        runtime_fraction: random.percent(5).then(|| fraction(random)),
        ..RouteMatch::default()
    };
    for _ in 0..headers {
        conditions.headers.push(condition::header(random));
    }
    for _ in 0..parameters {
        let parameter = condition::parameter(random);
        conditions.query_parameters.push(parameter);
    }
    Route {
        r#match: Some(conditions),
        action: Some(Action::Route(action(random))),
        ..Route::default()
    }
}

/// Never or always, so that no dice are thrown.
fn fraction(random: &mut Seeded) -> RuntimeFractionalPercent {
    RuntimeFractionalPercent {
        default_value: Some(FractionalPercent {
            numerator: *random.pick(&[0, 100]),
            ..FractionalPercent::default()
        }),
        ..RuntimeFractionalPercent::default()
    }
}

fn action(random: &mut Seeded) -> RouteAction {
    let specifier = match random.in_range(0..100) {
        0..70 => ClusterSpecifier::Cluster(word(random, &SERVERS).to_owned()),
        70..73 => ClusterSpecifier::Cluster(EMPTY.to_owned()),
        73..77 => ClusterSpecifier::Cluster(MISSING.to_owned()),
        77..90 => ClusterSpecifier::WeightedClusters(weighted(random)),
        _ => ClusterSpecifier::ClusterHeader(CLUSTER.to_owned()),
    };
    let codes = [
        NotFound::ServiceUnavailable,
        NotFound::NotFound,
        NotFound::InternalServerError,
    ];
    RouteAction {
        cluster_specifier: Some(specifier),
        cluster_not_found_response_code: (*random.pick(&codes)).into(),
        ..RouteAction::default()
    }
}

fn weighted(random: &mut Seeded) -> WeightedCluster {
    let mut clusters: Vec<_> = (0..random.in_range(1..4))
        .map(|_| ClusterWeight {
            name: word(random, &SERVERS).to_owned(),
            weight: Some(*random.pick(&[0, 1, 2, 3, 5])),
            ..ClusterWeight::default()
        })
        .collect();
    // All of them zero is an error.
    clusters[0].weight = Some(clusters[0].weight.unwrap_or_default().max(1));
    random.shuffle(&mut clusters);
    WeightedCluster {
        clusters,
        random_value_specifier: Some(RandomValueSpecifier::HeaderName(DICE.to_owned())),
        ..WeightedCluster::default()
    }
}
