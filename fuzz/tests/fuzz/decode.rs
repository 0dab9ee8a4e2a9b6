//! Decoders: no bytes make one panic, what it says is bounded, names its field and stands on a
//! line, and it says the same twice.

use mesh_core::config::{ConfigErrors, Dialect};
use mesh_proto::{
    Any, TypeUrl,
    envoy::{
        config::{
            cluster::v3::Cluster, endpoint::v3::ClusterLoadAssignment, listener::v3::Listener,
            route::v3::RouteConfiguration,
        },
        service::discovery::v3::Resource as Wrapper,
    },
};
use mesh_xds_client::resource::{DecodeOptions, Resource, ResourceType, decode};
use prost::Message;

use crate::{
    draw::Draw,
    engine::run,
    mutate::mutate,
    seeds,
    tree::{Node, Value},
};

/// The longest text that an error may have: it goes into logs, and back to the control plane.
const LONGEST: usize = 2_000;

#[test]
fn bytes() {
    run("decode::bytes", 20_000, |input| {
        let mut draw = Draw::new(input);
        let kind = *draw.pick(&ResourceType::ALL);
        let type_url = *draw.pick(&[kind.type_url(), Wrapper::TYPE_URL]);
        let any = Any {
            type_url: type_url.to_owned(),
            value: draw.rest().to_vec().into(),
        };
        for dialect in [Dialect::Grpc, Dialect::Envoy] {
            check(kind, &any, dialect);
        }
    });
}

#[test]
fn listener() {
    run("decode::listener", 2_500, |input| {
        changed(ResourceType::Listener, input);
    });
}

#[test]
fn route_config() {
    run("decode::route_config", 2_500, |input| {
        changed(ResourceType::RouteConfig, input);
    });
}

#[test]
fn cluster() {
    run("decode::cluster", 2_500, |input| {
        changed(ResourceType::Cluster, input);
    });
}

#[test]
fn endpoints() {
    run("decode::endpoints", 2_500, |input| {
        changed(ResourceType::Endpoints, input);
    });
}

fn changed(kind: ResourceType, input: &[u8]) {
    let mut draw = Draw::new(input);
    let node = seed(&mut draw, kind);
    let mut any = pack(kind, &node);
    if draw.one_in(8) {
        any = Any::pack(&Wrapper {
            name: draw.word(),
            resource: Some(any),
            ..Default::default()
        });
    }
    for dialect in [Dialect::Grpc, Dialect::Envoy] {
        check(kind, &any, dialect);
    }
}

/// A resource of that type, one that was valid before it was changed.
pub(crate) fn seed(draw: &mut Draw<'_>, kind: ResourceType) -> Node {
    let mut node = draw.pick(seeds::of(kind)).clone();
    mutate(draw, &mut node, seeds::of(kind));
    node
}

fn pack(kind: ResourceType, node: &Node) -> Any {
    Any {
        type_url: kind.type_url().to_owned(),
        value: node.write().into(),
    }
}

/// The same under another name.
fn named(mut node: Node, name: &str) -> Node {
    node.fields.retain(|(number, _)| *number != 1);
    node.fields.push((1, Value::Bytes(name.into())));
    node
}

/// A changed resource of that type that is still good.
pub(crate) fn good(draw: &mut Draw<'_>, kind: ResourceType, dialect: Dialect) -> Option<Resource> {
    let node = named(seed(draw, kind), "a");
    check(kind, &pack(kind, &node), dialect)
}

/// Decodes and checks; gives the resource if it is good.
fn check(kind: ResourceType, any: &Any, dialect: Dialect) -> Option<Resource> {
    let options = DecodeOptions::new(dialect).with_filters(|url| url.ends_with("Custom"));
    let outcome = decode(kind, any, &options);
    assert_eq!(outcome, decode(kind, any, &options), "not the same twice");
    match outcome {
        Ok(decoded) => {
            assert!(!decoded.name.is_empty());
            assert!(decoded.warnings.len() <= ConfigErrors::MAX);
            for warning in &decoded.warnings {
                check_text(&warning.to_string());
                assert_ne!(warning.path.to_string(), "", "{warning}");
            }
            let _ = decoded.resource.references();
            Some(decoded.resource)
        }
        Err(error) => {
            let errors: Vec<_> = error.errors.iter().collect();
            assert!((1..=ConfigErrors::MAX).contains(&errors.len()));
            let readable = is_readable(kind, any);
            for error in errors {
                check_text(&error.to_string());
                assert_ne!(error.reason, "");
                assert!(
                    !readable || error.path.to_string() != "",
                    "no field: {error}"
                );
            }
            None
        }
    }
}

fn check_text(text: &str) {
    assert!(text.len() <= LONGEST, "{} bytes: {text}", text.len());
    assert!(
        !text.contains(char::is_control),
        "more than a line: {text:?}"
    );
}

/// Whether the bytes are of a message of that type, so that what is wrong is in a field.
fn is_readable(kind: ResourceType, any: &Any) -> bool {
    let (url, value) = match any.unpack::<Wrapper>() {
        Ok(wrapper) => match wrapper.resource {
            Some(inner) => (inner.type_url, inner.value),
            None => return true,
        },
        Err(_) => (any.type_url.clone(), any.value.clone()),
    };
    url == kind.type_url()
        && match kind {
            ResourceType::Listener => Listener::decode(value).is_ok(),
            ResourceType::RouteConfig => RouteConfiguration::decode(value).is_ok(),
            ResourceType::Cluster => Cluster::decode(value).is_ok(),
            ResourceType::Endpoints => ClusterLoadAssignment::decode(value).is_ok(),
        }
}
