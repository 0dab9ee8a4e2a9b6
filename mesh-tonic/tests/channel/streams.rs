//! Streams, in each direction and in both.

use futures_util::{StreamExt, stream};
use mesh_testkit::{generated::mesh::test::v1::EchoRequest, grpc_echo::GrpcEcho};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::support::{channel, client, retry_unavailable, say};

#[tokio::test]
async fn many_requests_get_one_reply() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], retry_unavailable);
    let requests = stream::iter((0..100).map(|n| say(&n.to_string())));
    let reply = client(channel)
        .client_stream(requests)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (reply.received, reply.path.as_str()),
        (100, "/mesh.test.v1.Echo/ClientStream")
    );
}

#[tokio::test]
async fn one_request_gets_many_replies_and_then_a_status() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], |_| {});
    let request = EchoRequest {
        repeat: 50,
        ..say("more")
    };
    let mut replies = client(channel)
        .server_stream(request)
        .await
        .unwrap()
        .into_inner();
    let mut count = 0;
    while let Some(reply) = replies.message().await.unwrap() {
        assert_eq!(reply.message, "more");
        count += 1;
    }
    assert_eq!(count, 50);
}

#[tokio::test]
async fn requests_and_replies_take_turns() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], retry_unavailable);
    let (send, requests) = mpsc::channel(1);
    let requests = ReceiverStream::new(requests);
    let mut replies = client(channel)
        .bidi_stream(requests)
        .await
        .unwrap()
        .into_inner();
    for n in 0..20 {
        send.send(say(&n.to_string())).await.unwrap();
        let reply = replies.next().await.unwrap().unwrap();
        assert_eq!((reply.message, reply.received), (n.to_string(), n + 1));
    }
    drop(send);
    assert!(replies.next().await.is_none());
}

#[tokio::test]
async fn a_stream_that_is_let_go_is_cancelled_at_the_server() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], |_| {});
    let (send, requests) = mpsc::channel(1);
    let mut client = client(channel);
    let mut replies = client
        .bidi_stream(ReceiverStream::new(requests))
        .await
        .unwrap()
        .into_inner();
    send.send(say("one")).await.unwrap();
    replies.next().await.unwrap().unwrap();
    drop(replies);
    server
        .wait_for("the cancelled call", |server| server.cancelled() == 1)
        .await;
}

#[tokio::test]
async fn a_connection_lost_in_a_stream_is_unavailable() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], |_| {});
    let (send, requests) = mpsc::channel(1);
    let mut client = client(channel);
    let mut replies = client
        .bidi_stream(ReceiverStream::new(requests))
        .await
        .unwrap()
        .into_inner();
    send.send(say("one")).await.unwrap();
    replies.next().await.unwrap().unwrap();
    server.disconnect().await;
    let status = replies.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
}
