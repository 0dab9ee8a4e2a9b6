//! The same resources, made once with each crate: both must make the same bytes, read the other's,
//! and write them again unchanged.
//!
//! Maps have one entry each, because `envoy-types` writes larger ones in any order.

use std::fmt::Debug;

use prost::Message;

/// The resources as `envoy-types` makes them.
#[expect(
    deprecated,
    reason = "control planes still send what upstream has marked"
)]
#[expect(
    clippy::useless_conversion,
    reason = "in the other crate the value is not a `Vec<u8>`"
)]
mod theirs {
    use envoy_types::pb::{envoy, google};

    use google::protobuf::{
        Any, BoolValue, Duration, Struct, UInt32Value, UInt64Value, Value, value,
    };

    fn uint32(value: u32) -> Option<UInt32Value> {
        Some(UInt32Value { value })
    }

    fn uint64(value: u64) -> Option<UInt64Value> {
        Some(UInt64Value { value })
    }

    fn boolean(value: bool) -> Option<BoolValue> {
        Some(BoolValue { value })
    }

    include!("resources.rs");
}

/// The resources as `mesh-proto` makes them.
mod ours {
    use mesh_proto::{envoy, google};

    use google::protobuf::{Any, Duration, Struct, Value, value};

    fn uint32(value: u32) -> Option<u32> {
        Some(value)
    }

    fn uint64(value: u64) -> Option<u64> {
        Some(value)
    }

    fn boolean(value: bool) -> Option<bool> {
        Some(value)
    }

    include!("resources.rs");
}

/// Checks one message in both directions.
fn agree<T, O>(theirs: &T, ours: &O)
where
    T: Message + Default + PartialEq + Debug,
    O: Message + Default + PartialEq + Debug,
{
    let wire = theirs.encode_to_vec();
    assert!(!wire.is_empty(), "an empty message shows nothing");
    assert_eq!(ours.encode_to_vec(), wire, "made with mesh-proto");

    let read = O::decode(wire.as_slice()).unwrap();
    assert_eq!(&read, ours, "read by mesh-proto");
    assert_eq!(read.encode_to_vec(), wire, "read and written by mesh-proto");

    let read = T::decode(ours.encode_to_vec().as_slice()).unwrap();
    assert_eq!(&read, theirs, "read by envoy-types");
    assert_eq!(
        read.encode_to_vec(),
        wire,
        "read and written by envoy-types"
    );
}

#[test]
fn clusters() {
    agree(&theirs::cluster(), &ours::cluster());
}

#[test]
fn endpoints() {
    agree(&theirs::endpoints(), &ours::endpoints());
}

#[test]
fn route_configurations() {
    agree(&theirs::routes(), &ours::routes());
}

#[test]
fn listeners() {
    agree(&theirs::server_listener(), &ours::server_listener());
    agree(&theirs::api_listener(), &ours::api_listener());
}

#[test]
fn requests() {
    agree(&theirs::request(), &ours::request());
    agree(&theirs::delta_request(), &ours::delta_request());
}

#[test]
fn responses() {
    agree(&theirs::response(), &ours::response());
    agree(&theirs::delta_response(), &ours::delta_response());
}

/// What is inside an `Any` is reached by the names that `mesh-proto` has for its types.
#[test]
fn packed_resources_unpack() {
    use mesh_proto::envoy::config::cluster::v3::Cluster;
    use mesh_proto::envoy::config::listener::v3::Listener;
    use mesh_proto::envoy::extensions::filters::http::router::v3::Router;
    use mesh_proto::envoy::extensions::filters::network::http_connection_manager::v3::{
        HttpConnectionManager, http_filter::ConfigType,
    };
    use mesh_proto::envoy::service::discovery::v3::DiscoveryResponse;

    let wire = theirs::response().encode_to_vec();
    let response = DiscoveryResponse::decode(wire.as_slice()).unwrap();
    let [cluster, listener] = response.resources.as_slice() else {
        panic!("{} resources", response.resources.len());
    };
    assert_eq!(cluster.unpack::<Cluster>(), Ok(ours::cluster()));

    let listener: Listener = listener.unpack().unwrap();
    let api_listener = listener.api_listener.unwrap().api_listener.unwrap();
    let manager: HttpConnectionManager = api_listener.unpack().unwrap();
    let router = manager
        .http_filters
        .into_iter()
        .find(|filter| filter.name == "router")
        .unwrap();
    let Some(ConfigType::TypedConfig(router)) = router.config_type else {
        panic!("the router has no typed config");
    };
    assert_eq!(
        router.unpack(),
        Ok(Router {
            suppress_envoy_headers: true,
            ..Router::default()
        })
    );
}
