//! One request, one reply.

use mesh_testkit::grpc_echo::GrpcEcho;
use tonic::{Code, Request};

use crate::support::{channel, client, retry_unavailable, say};

#[tokio::test]
async fn a_call_arrives_as_it_was_made() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], |_| {});
    channel.ready().await.unwrap();
    let mut request = Request::new(say("hello"));
    request
        .metadata_mut()
        .insert("x-user", "ann".parse().unwrap());
    let reply = client(channel).unary(request).await.unwrap().into_inner();
    assert_eq!(
        (reply.message.as_str(), reply.server_id.as_str()),
        ("hello", "v1")
    );
    assert_eq!(reply.path, "/mesh.test.v1.Echo/Unary");
    assert_eq!(reply.authority, "greeter");
    assert_eq!(reply.headers["x-user"], "ann");
}

#[tokio::test]
async fn a_policy_retries_a_status_and_no_other() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], retry_unavailable);
    let mut client = client(channel);
    server.fail_next(2, Code::Unavailable);
    client.unary(say("again")).await.unwrap();
    assert_eq!(server.count(), 3);
    server.fail_next(1, Code::NotFound);
    let status = client.unary(say("never")).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::NotFound, 4));
    server.fail_next(3, Code::Unavailable);
    let status = client.unary(say("thrice")).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::Unavailable, 7));
}

#[tokio::test]
async fn a_refused_stream_is_sent_again_without_a_policy() {
    let server = GrpcEcho::start("v1");
    let (channel, _source) = channel(&[server.socket()], |_| {});
    server.refuse_streams_next(2);
    client(channel).unary(say("hello")).await.unwrap();
}
