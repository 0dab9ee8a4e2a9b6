//! What of an answer reaches the caller: trailers, resets, answers that are not gRPC's.

use http::StatusCode;
use mesh_core::{
    config::{Dialect, RouteConfig, Snapshot, SnapshotBuilder},
    source::FixedSource,
};
use mesh_testkit::{
    echo::{Behaviour, EchoServer},
    generated::mesh::test::v1::EchoRequest,
    grpc_echo::GrpcEcho,
};
use mesh_tonic::MeshChannel;
use mesh_tower::Mesh;
use tonic::Code;

use crate::support::{channel, client, retry_unavailable, say};

#[tokio::test]
async fn trailers_come_through_with_replies_and_with_errors() {
    let server = GrpcEcho::start("v1");
    server.trailing_metadata("x-cost", "7");
    let (channel, _source) = channel(&[server.socket()], |_| {});
    let mut client = client(channel);
    let reply = client.unary(say("hello")).await.unwrap();
    assert_eq!(reply.metadata().get("x-cost").unwrap(), "7");

    let mut replies = client.server_stream(say("one")).await.unwrap().into_inner();
    while replies.message().await.unwrap().is_some() {}
    let trailers = replies.trailers().await.unwrap().unwrap();
    assert_eq!(trailers.get("x-cost").unwrap(), "7");

    for after_headers in [false, true] {
        server.fail_after_headers(after_headers);
        let request = EchoRequest {
            fail_with_code: Code::Aborted as u32,
            ..say("fail")
        };
        let status = client.unary(request).await.unwrap_err();
        assert_eq!(status.code(), Code::Aborted);
        let cost = status.metadata().get("x-cost").unwrap();
        assert_eq!(cost, "7", "{after_headers}");
    }
}

/// gRPC over HTTP/2, "Errors": the code of a reset decides the status.
#[tokio::test]
async fn a_reset_has_the_status_of_its_reason() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], |_| {});
    let mut client = client(channel);
    for (reason, code) in [
        (0x1, Code::Internal),
        (0x2, Code::Internal),
        (0x8, Code::Cancelled),
        (0xb, Code::ResourceExhausted),
        (0xc, Code::PermissionDenied),
    ] {
        server.reset_next(1, u32::into(reason));
        let status = client.unary(say("hello")).await.unwrap_err();
        assert_eq!(status.code(), code, "reason {reason}: {status}");
    }
    // Refused more often than is borne without a policy.
    server.refuse_streams_next(6);
    let status = client.unary(say("hello")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert_eq!(server.count(), 11);
    client.unary(say("hello")).await.unwrap();
}

/// gRPC's "HTTP to gRPC Status Code Mapping".
#[tokio::test]
async fn an_answer_that_is_not_grpcs_has_the_status_of_its_code() {
    let server = EchoServer::http2().start();
    let (channel, _source) = channel(&[server.socket()], |_| {});
    let mut client = client(channel);
    for (status, code) in [
        (400, Code::Internal),
        (401, Code::Unauthenticated),
        (403, Code::PermissionDenied),
        (404, Code::Unimplemented),
        (429, Code::Unavailable),
        (500, Code::Unknown),
        (502, Code::Unavailable),
        (503, Code::Unavailable),
        (504, Code::Unavailable),
    ] {
        for body_size in [0, 100] {
            let answer = Behaviour {
                body_size: Some(body_size),
                ..Behaviour::status(status)
            };
            server.next(1, answer);
            let error = client.unary(say("hello")).await.unwrap_err();
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(error.code(), code, "{status}: {error}");
        }
    }
}

#[tokio::test]
async fn a_service_can_forbid_and_put_off_retries() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], retry_unavailable);
    let mut client = client(channel);
    server.pushback(Some(-1));
    server.fail_next(1, Code::Unavailable);
    let status = client.unary(say("hello")).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::Unavailable, 1));

    let wait = std::time::Duration::from_millis(120);
    server.pushback(Some(120));
    server.fail_next(1, Code::Unavailable);
    let start = tokio::time::Instant::now();
    let reply = client.unary(say("hello")).await.unwrap().into_inner();
    // The policy's own first wait is 25 ms at most.
    assert!(start.elapsed() >= wait, "{:?}", start.elapsed());
    assert_eq!((reply.attempt, server.count()), (2, 3));
}

#[tokio::test]
async fn a_failure_after_headers_is_final() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], retry_unavailable);
    server.fail_after_headers(true);
    server.fail_next(1, Code::Unavailable);
    let status = client(channel).unary(say("hello")).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::Unavailable, 1));
}

#[tokio::test]
async fn a_ready_channel_has_one_connection_and_has_sent_nothing() {
    let servers = [GrpcEcho::start("v1"), GrpcEcho::start("v2")];
    let (channel, _source) = channel(&servers.each_ref().map(GrpcEcho::socket), |_| {});
    channel.ready().await.unwrap();
    let connections: u64 = servers.iter().map(GrpcEcho::connections).sum();
    let calls: u64 = servers.iter().map(GrpcEcho::count).sum();
    assert!(connections >= 1, "{servers:?}");
    assert_eq!(calls, 0);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_cannot_be_ready_says_what_is_missing() {
    let source = FixedSource::new();
    let mesh = Mesh::builder().source(source.clone()).spawn().unwrap();
    let channel = MeshChannel::new(mesh.http_client("greeter"), "greeter", Dialect::Grpc).unwrap();
    let status = channel.ready().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        status.message().contains("no configuration was set"),
        "{status}"
    );

    source.set("greeter", empty());
    let status = channel.ready().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("no connection"), "{status}");
}

/// A configuration without a cluster.
fn empty() -> Snapshot {
    let routes = RouteConfig {
        virtual_hosts: Vec::new(),
        ..RouteConfig::to_cluster("echo".into(), Dialect::Grpc)
    };
    SnapshotBuilder::new("greeter")
        .routes(routes)
        .build()
        .unwrap()
}
