use super::*;
use crate::envoy::config::cluster::v3::{Cluster, cluster};
use crate::envoy::config::endpoint::v3::ClusterLoadAssignment;
use crate::envoy::service::discovery::v3::DiscoveryResponse;
use crate::google::protobuf::{Duration, Struct, Value, value};
use crate::xds::data::orca::v3::OrcaLoadReport;
use crate::xds::service::orca::v3::OrcaLoadReportRequest;
use crate::{udpa, xds};

fn greeter() -> Cluster {
    Cluster {
        name: "greeter".to_owned(),
        ..Cluster::default()
    }
}

fn round_trip<T: TypeUrl + PartialEq + fmt::Debug>(message: &T) {
    let wire = Any::pack(message).encode_to_vec();
    let any = Any::decode(wire.as_slice()).unwrap();
    assert_eq!(any.unpack::<T>().as_ref(), Ok(message));
}

#[test]
fn packs_under_the_type_url() {
    let any = Any::pack(&greeter());
    assert_eq!(
        any.type_url,
        "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    );
    assert_eq!(any.full_name(), "envoy.config.cluster.v3.Cluster");
    assert!(any.is::<Cluster>());
    assert!(!any.is::<ClusterLoadAssignment>());
    assert_eq!(any.unpack(), Ok(greeter()));
}

#[test]
fn a_nested_message_is_named_by_its_outer_one() {
    assert_eq!(
        cluster::EdsClusterConfig::TYPE_URL,
        "type.googleapis.com/envoy.config.cluster.v3.Cluster.EdsClusterConfig"
    );
}

#[test]
fn only_the_name_in_the_type_url_counts() {
    for prefix in ["", "/", "example.com/types/"] {
        let mut any = Any::pack(&greeter());
        any.type_url = format!("{prefix}envoy.config.cluster.v3.Cluster");
        assert_eq!(any.unpack(), Ok(greeter()), "{prefix:?}");
    }
}

#[test]
fn another_type_is_refused_and_both_are_named() {
    let error = Any::pack(&greeter())
        .unpack::<ClusterLoadAssignment>()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment, \
         found type.googleapis.com/envoy.config.cluster.v3.Cluster"
    );
    let error = Any::default().unpack::<Cluster>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected type.googleapis.com/envoy.config.cluster.v3.Cluster, found no type URL"
    );
}

#[test]
fn malformed_bytes_are_refused_with_their_cause() {
    let any = Any {
        type_url: Cluster::TYPE_URL.to_owned(),
        value: Bytes::from_static(b"\x0a\x05a"),
    };
    let error = any.unpack::<Cluster>().unwrap_err();
    assert!(matches!(error, UnpackError::Malformed { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "malformed type.googleapis.com/envoy.config.cluster.v3.Cluster"
    );
    assert!(error.source().is_some());
}

#[test]
fn the_value_shares_the_buffer_it_was_decoded_from() {
    let response = DiscoveryResponse {
        resources: vec![Any::pack(&greeter())],
        ..Default::default()
    };
    let wire = Bytes::from(response.encode_to_vec());
    let decoded = DiscoveryResponse::decode(wire.clone()).unwrap();
    let range = wire.as_ptr_range();
    assert!(range.contains(&decoded.resources[0].value.as_ptr()));
}

#[test]
fn the_wire_format_is_that_of_prost_types() {
    let ours = Any::pack(&greeter());
    let theirs = prost_types::Any {
        type_url: ours.type_url.clone(),
        value: greeter().encode_to_vec(),
    };
    assert_eq!(ours.encode_to_vec(), theirs.encode_to_vec());
}

#[test]
fn orca_reports_round_trip() {
    let entry = |name: &str, value| (name.to_owned(), value);
    round_trip(&OrcaLoadReport {
        cpu_utilization: 0.5,
        mem_utilization: 0.25,
        rps: 3,
        request_cost: [entry("db", 4.0), entry("cache", 1.0)].into(),
        utilization: [entry("disk", 0.125)].into(),
        rps_fractional: 3.5,
        eps: 0.5,
        named_metrics: [entry("queue", 7.0)].into(),
        application_utilization: 1.5,
    });
    round_trip(&OrcaLoadReportRequest {
        report_interval: Some(Duration {
            seconds: 10,
            nanos: 0,
        }),
        request_cost_names: vec!["db".to_owned()],
    });
}

/// Bytes written out by hand from the field numbers of the format, not by this code.
#[test]
fn an_orca_report_from_the_wire() {
    let mut wire = vec![0x09];
    wire.extend(0.5_f64.to_le_bytes());
    wire.extend([0x22, 0x0d, 0x0a, 0x02, b'd', b'b', 0x11]);
    wire.extend(4.0_f64.to_le_bytes());
    wire.push(0x39);
    wire.extend(0.25_f64.to_le_bytes());
    wire.push(0x49);
    wire.extend(1.5_f64.to_le_bytes());
    let report = OrcaLoadReport::decode(wire.as_slice()).unwrap();
    let expected = OrcaLoadReport {
        cpu_utilization: 0.5,
        request_cost: [("db".to_owned(), 4.0)].into(),
        eps: 0.25,
        application_utilization: 1.5,
        ..OrcaLoadReport::default()
    };
    assert_eq!(report, expected);
}

#[test]
fn typed_structs_round_trip() {
    let kind = Some(value::Kind::StringValue("least".to_owned()));
    let value = Struct {
        fields: [("policy".to_owned(), Value { kind })].into(),
    };
    round_trip(&xds::r#type::v3::TypedStruct {
        type_url: "type.googleapis.com/example.Policy".to_owned(),
        value: Some(value.clone()),
    });
    round_trip(&udpa::r#type::v1::TypedStruct {
        type_url: "type.googleapis.com/example.Policy".to_owned(),
        value: Some(value),
    });
    assert_eq!(
        <udpa::r#type::v1::TypedStruct as TypeUrl>::TYPE_URL,
        "type.googleapis.com/udpa.type.v1.TypedStruct"
    );
}
