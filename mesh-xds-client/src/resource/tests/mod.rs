mod cluster_envoy;
mod cluster_grpc;
mod endpoints;
mod filters;
mod listener;
mod load_balancing;
mod matchers;
mod parts;
mod retry;
mod routes_envoy;
mod routes_grpc;
mod sharing;

use mesh_core::config::{Dialect, Forward, Route, RouteAction, RouteConfig};
use mesh_proto::{
    Any,
    envoy::config::{
        core::v3 as core,
        route::v3::{self as pb, route, route_action::ClusterSpecifier},
    },
    google::protobuf::Duration as Span,
};

use super::*;

const BOTH: [Dialect; 2] = [Dialect::Grpc, Dialect::Envoy];

/// The type under which a message is decoded.
trait Kind: TypeUrl {
    const KIND: ResourceType;
}

impl Kind for Listener {
    const KIND: ResourceType = ResourceType::Listener;
}

impl Kind for RouteConfiguration {
    const KIND: ResourceType = ResourceType::RouteConfig;
}

impl Kind for Cluster {
    const KIND: ResourceType = ResourceType::Cluster;
}

impl Kind for ClusterLoadAssignment {
    const KIND: ResourceType = ResourceType::Endpoints;
}

/// Everything that is wrong with a message, as it is told.
fn errors<M: Kind>(dialect: Dialect, message: &M) -> Vec<String> {
    errors_of(dialect, M::KIND, &Any::pack(message))
}

fn errors_of(dialect: Dialect, kind: ResourceType, any: &Any) -> Vec<String> {
    match decode(kind, any, &DecodeOptions::new(dialect)) {
        Ok(decoded) => panic!("accepted: {decoded:?}"),
        Err(error) => error.errors.iter().map(ToString::to_string).collect(),
    }
}

fn accept<M: Kind>(dialect: Dialect, message: &M) -> Decoded {
    let options = DecodeOptions::new(dialect);
    decode(M::KIND, &Any::pack(message), &options).unwrap_or_else(|error| panic!("{error}"))
}

fn warnings<M: Kind>(dialect: Dialect, message: &M) -> Vec<String> {
    let warnings = accept(dialect, message).warnings;
    warnings.iter().map(ToString::to_string).collect()
}

/// A RouteConfiguration of one virtual host with these routes.
fn routes(routes: Vec<pb::Route>) -> RouteConfiguration {
    RouteConfiguration {
        name: "routes".to_owned(),
        virtual_hosts: vec![pb::VirtualHost {
            name: "host".to_owned(),
            domains: vec!["*".to_owned()],
            routes,
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A route of every path with this action.
fn to(action: pb::RouteAction) -> pb::Route {
    pb::Route {
        r#match: Some(every_path()),
        action: Some(route::Action::Route(action)),
        ..Default::default()
    }
}

fn every_path() -> pb::RouteMatch {
    pb::RouteMatch {
        path_specifier: Some(pb::route_match::PathSpecifier::Prefix(String::new())),
        ..Default::default()
    }
}

/// The action of forwarding to `cluster`.
fn forward(cluster: &str) -> pb::RouteAction {
    pb::RouteAction {
        cluster_specifier: Some(ClusterSpecifier::Cluster(cluster.to_owned())),
        ..Default::default()
    }
}

fn route_config(dialect: Dialect, message: &RouteConfiguration) -> RouteConfig {
    match accept(dialect, message).resource {
        Resource::RouteConfig(routes) => routes.config.clone(),
        other => panic!("{other:?}"),
    }
}

/// The routes of the first virtual host.
fn decoded_routes(dialect: Dialect, message: &RouteConfiguration) -> Vec<Route> {
    let config = route_config(dialect, message);
    let routes = config.virtual_hosts[0].routes.iter();
    routes.map(|route| Route::clone(route)).collect()
}

/// The only route's action.
fn action(dialect: Dialect, action: pb::RouteAction) -> RouteAction {
    decoded_routes(dialect, &routes(vec![to(action)]))
        .swap_remove(0)
        .action
}

fn forwarding(dialect: Dialect, message: pb::RouteAction) -> Forward {
    match action(dialect, message) {
        RouteAction::Forward(forward) => Forward::clone(&forward),
        RouteAction::Refuse(reason) => panic!("{reason}"),
    }
}

fn cluster(dialect: Dialect, message: &Cluster) -> ClusterConfig {
    match accept(dialect, message).resource {
        Resource::Cluster(cluster) => ClusterConfig::clone(&cluster),
        other => panic!("{other:?}"),
    }
}

/// An EDS cluster.
fn eds() -> Cluster {
    use mesh_proto::envoy::config::cluster::v3::cluster::{
        ClusterDiscoveryType, DiscoveryType, EdsClusterConfig,
    };
    Cluster {
        name: "greeter".to_owned(),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Eds as i32)),
        eds_cluster_config: Some(EdsClusterConfig {
            eds_config: Some(ads()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn ads() -> core::ConfigSource {
    core::ConfigSource {
        config_source_specifier: Some(core::config_source::ConfigSourceSpecifier::Ads(
            Default::default(),
        )),
        ..Default::default()
    }
}

fn regex(text: &str) -> mesh_proto::envoy::r#type::matcher::v3::RegexMatcher {
    mesh_proto::envoy::r#type::matcher::v3::RegexMatcher {
        regex: text.to_owned(),
        ..Default::default()
    }
}

const fn millis(millis: i64) -> Span {
    Span {
        seconds: millis / 1000,
        nanos: (millis % 1000) as i32 * 1_000_000,
    }
}

fn socket(address: &str, port: u32) -> core::Address {
    core::Address {
        address: Some(core::address::Address::SocketAddress(core::SocketAddress {
            address: address.to_owned(),
            port_specifier: Some(core::socket_address::PortSpecifier::PortValue(port)),
            ..Default::default()
        })),
    }
}

#[test]
fn a_resource_may_come_bare_or_wrapped() {
    let message = ClusterLoadAssignment {
        cluster_name: "greeter".to_owned(),
        ..Default::default()
    };
    let bare = Any::pack(&message);
    let wrapped = Any::pack(&Wrapper {
        name: "outside".to_owned(),
        resource: Some(bare.clone()),
        ..Default::default()
    });
    for any in [bare, wrapped] {
        let decoded = decode(
            ResourceType::Endpoints,
            &any,
            &DecodeOptions::new(Dialect::Grpc),
        )
        .unwrap();
        assert_eq!(decoded.name, "greeter");
        assert_eq!(
            decoded.resource,
            Resource::Endpoints(Arc::new(EndpointsConfig::default()))
        );
    }
}

#[test]
fn a_resource_of_another_type_has_no_name() {
    let wrapped = Any::pack(&Wrapper {
        name: "greeter".to_owned(),
        resource: Some(Any::pack(&Cluster::default())),
        ..Default::default()
    });
    let options = DecodeOptions::new(Dialect::Grpc);
    let error = decode(ResourceType::Listener, &wrapped, &options).unwrap_err();
    assert_eq!(error.name, None);
    assert!(
        error
            .to_string()
            .contains("envoy.config.cluster.v3.Cluster")
    );
}

#[test]
fn a_resource_without_a_name_or_content_is_refused() {
    for (kind, any, expected) in [
        (
            ResourceType::Listener,
            Any::pack(&Listener::default()),
            "name: is empty",
        ),
        (
            ResourceType::RouteConfig,
            Any::pack(&RouteConfiguration::default()),
            "name: is empty",
        ),
        (
            ResourceType::Cluster,
            Any::pack(&Cluster::default()),
            "name: is empty",
        ),
        (
            ResourceType::Endpoints,
            Any::pack(&ClusterLoadAssignment::default()),
            "cluster_name: is empty",
        ),
        (
            ResourceType::Cluster,
            Any::pack(&Wrapper::default()),
            "resource: is missing",
        ),
    ] {
        for dialect in [Dialect::Grpc, Dialect::Envoy] {
            assert_eq!(errors_of(dialect, kind, &any), [expected]);
        }
    }
}

#[test]
fn a_broken_resource_goes_by_the_name_on_its_wrapper() {
    let wrapped = Any::pack(&Wrapper {
        name: "greeter".to_owned(),
        resource: Some(Any {
            type_url: Cluster::TYPE_URL.to_owned(),
            value: vec![0xff].into(),
        }),
        ..Default::default()
    });
    let options = DecodeOptions::new(Dialect::Envoy);
    let error = decode(ResourceType::Cluster, &wrapped, &options).unwrap_err();
    assert_eq!(error.name.as_deref(), Some("greeter"));
    assert!(
        error.to_string().starts_with("greeter: malformed "),
        "{error}"
    );
}

#[test]
fn types_go_by_the_name_in_their_url() {
    for kind in ResourceType::ALL {
        assert_eq!(ResourceType::from_type_url(kind.type_url()), Some(kind));
    }
    assert_eq!(
        ResourceType::from_type_url("x/envoy.config.cluster.v3.Cluster"),
        Some(ResourceType::Cluster)
    );
    assert_eq!(
        ResourceType::from_type_url("type.googleapis.com/Cluster"),
        None
    );
    let all = ResourceType::ALL.map(ResourceType::all_in_sotw);
    assert_eq!(all, [true, false, true, false]);
}

#[test]
fn errors_and_warnings_are_bounded() {
    let bad = pb::Route::default();
    let message = routes(vec![bad; 10_000]);
    assert_eq!(errors(Dialect::Grpc, &message).len(), ConfigErrors::MAX);
    let odd = to(pb::RouteAction {
        priority: 1,
        ..forward("a")
    });
    let message = routes(vec![odd; 10_000]);
    assert_eq!(warnings(Dialect::Envoy, &message).len(), ConfigErrors::MAX);
}
