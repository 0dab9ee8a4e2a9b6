//! What a caller learns when there is no reply.

use std::{sync::Arc, time::Duration};

use mesh_core::config::{Dialect, EndpointsConfig, SnapshotBuilder};
use mesh_testkit::{
    dead::refusing_address, generated::mesh::test::v1::EchoRequest, grpc_echo::GrpcEcho,
};
use mesh_tower::{CallerDeadline, WaitForReady};
use tonic::{Code, Request};

use crate::support::{channel, client, say};

#[tokio::test]
async fn a_service_s_own_status_and_message_come_through() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], |_| {});
    for after_headers in [false, true] {
        server.fail_after_headers(after_headers);
        let request = EchoRequest {
            fail_with_code: Code::FailedPrecondition as u32,
            fail_message: "not while it rains: 100 % ☔".into(),
            ..EchoRequest::default()
        };
        let status = client(channel.clone()).unary(request).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(status.message(), "not while it rains: 100 % ☔");
    }
}

#[tokio::test]
async fn a_cluster_without_endpoints_fails_at_once() {
    let (channel, _source) = channel(&[], |_| {});
    let status = client(channel).unary(say("hello")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("cluster echo"), "{status}");
}

#[tokio::test]
async fn waiting_for_ready_ends_with_the_deadline() {
    let (channel, _source) = channel(&[], |_| {});
    let mut request = Request::new(say("hello"));
    request.set_timeout(Duration::from_millis(50));
    let status = client(channel.wait_for_ready(true))
        .unary(request)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
}

#[tokio::test]
async fn of_two_deadlines_of_the_caller_the_shorter_counts() {
    let (channel, _source) = channel(&[], |_| {});
    let mut client = client(channel.wait_for_ready(true));
    let [short, long] = [Duration::from_millis(50), Duration::from_secs(600)];
    for (header, extension) in [(short, long), (long, short)] {
        let mut request = Request::new(say("hello"));
        request.set_timeout(header);
        request.extensions_mut().insert(CallerDeadline(extension));
        let call = tokio::time::timeout(Duration::from_secs(60), client.unary(request));
        let status = call.await.expect("it waits for the longer").unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    }
}

#[tokio::test]
async fn a_call_decides_for_itself_whether_it_waits() {
    let (channel, _source) = channel(&[], |_| {});
    let mut request = Request::new(say("hello"));
    request.set_timeout(Duration::from_secs(600));
    request.extensions_mut().insert(WaitForReady(false));
    let status = client(channel.wait_for_ready(true))
        .unary(request)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
}

#[tokio::test]
async fn an_endpoint_that_refuses_is_named_with_its_reason() {
    let refusing = refusing_address();
    let (channel, _source) = channel(&[refusing.socket()], |_| {});
    let status = client(channel).unary(say("hello")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("refused"), "{status}");
}

#[tokio::test]
async fn the_callers_deadline_holds_in_both_dialects() {
    let server = GrpcEcho::start("v1");
    server.hold();
    for dialect in [Dialect::Grpc, Dialect::Envoy] {
        let (channel, _source) = channel(&[server.socket()], |forward| {
            forward.stream.grpc_timeout = match dialect {
                Dialect::Grpc => mesh_core::config::GrpcTimeoutRule::Always,
                Dialect::Envoy => mesh_core::config::GrpcTimeoutRule::WhenCapped,
            };
        });
        let mut request = Request::new(say("hello"));
        request.set_timeout(Duration::from_millis(50));
        let status = client(channel).unary(request).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    }
    server.release();
}

#[tokio::test]
async fn endpoints_that_appear_end_the_wait() {
    let server = GrpcEcho::start("v1");
    let (channel, source) = channel(&[], |_| {});
    // Fails by the cluster in force: from here on it is an update that brings endpoints.
    client(channel.clone())
        .unary(say("early"))
        .await
        .unwrap_err();
    let waiting = tokio::spawn({
        let channel = channel.clone().wait_for_ready(true);
        async move { client(channel).unary(say("hello")).await }
    });
    let endpoints = EndpointsConfig::of([server.socket().into()]);
    let cluster = mesh_core::config::ClusterConfig::new(
        "echo",
        mesh_core::config::Discovery::Static(Arc::new(endpoints)),
        Dialect::Grpc,
    );
    source.set(
        "greeter",
        SnapshotBuilder::new("greeter")
            .cluster(cluster)
            .build()
            .unwrap(),
    );
    assert_eq!(waiting.await.unwrap().unwrap().into_inner().server_id, "v1");
}
