use mesh_core::config::Dialect;
use mesh_proto::Any;

use super::*;

/// Builders of messages, and the readings that tests ask for.
pub(super) fn errors_of(dialect: Dialect, kind: ResourceType, any: &Any) -> Vec<String> {
    match decode(kind, any, &DecodeOptions::new(dialect)) {
        Ok(decoded) => panic!("accepted: {decoded:?}"),
        Err(error) => error.errors.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn accepted(dialect: Dialect, kind: ResourceType, any: &Any) -> Decoded {
    decode(kind, any, &DecodeOptions::new(dialect)).unwrap_or_else(|error| panic!("{error}"))
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
        let decoded = accepted(Dialect::Grpc, ResourceType::Endpoints, &any);
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
