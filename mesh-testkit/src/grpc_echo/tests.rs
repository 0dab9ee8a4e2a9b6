use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::{Request, Status};

use super::*;
use crate::client::GrpcConnection;
use crate::generated::mesh::test::v1::echo_client::EchoClient;
use crate::generated::mesh::test::v1::{EchoReply, EchoRequest};

async fn client(server: &GrpcEcho) -> EchoClient<GrpcConnection> {
    let connection = GrpcConnection::open(server.socket()).await.unwrap();
    EchoClient::with_origin(connection, "http://greeter.example".parse().unwrap())
}

fn say(message: &str) -> EchoRequest {
    EchoRequest {
        message: message.to_owned(),
        ..EchoRequest::default()
    }
}

fn trailer<'a>(status: &'a Status, key: &str) -> Option<&'a str> {
    status.metadata().get(key)?.to_str().ok()
}

#[tokio::test]
async fn answers_a_unary_call() {
    let server = GrpcEcho::start("v1");
    server.trailing_metadata("x-end", "yes");
    let mut request = Request::new(say("hello"));
    let metadata = request.metadata_mut();
    metadata.insert("x-test", "a".parse().unwrap());
    metadata.insert("grpc-previous-rpc-attempts", "2".parse().unwrap());
    let response = client(&server).await.unary(request).await.unwrap();
    assert_eq!(response.metadata().get("x-end").unwrap(), "yes");
    assert_eq!(response.metadata().get("server-id").unwrap(), "v1");
    let reply: EchoReply = response.into_inner();
    assert_eq!(
        (reply.message.as_str(), reply.server_id.as_str()),
        ("hello", "v1")
    );
    assert_eq!(reply.path, "/mesh.test.v1.Echo/Unary");
    assert_eq!(reply.authority, "greeter.example");
    assert_eq!(reply.headers["x-test"], "a");
    assert_eq!((reply.received, reply.attempt), (1, 3));
    assert_eq!(server.requests()[0].header("te"), Some("trailers"));
}

#[tokio::test]
async fn answers_streaming_calls() {
    let server = GrpcEcho::start("v1");
    let mut client = client(&server).await;
    let requests = tokio_stream::iter([say("a"), say("b")]);
    let reply = client.client_stream(requests).await.unwrap().into_inner();
    assert_eq!((reply.message.as_str(), reply.received), ("b", 2));

    let mut thrice = say("c");
    thrice.repeat = 3;
    let replies = client.server_stream(thrice.clone()).await.unwrap();
    let mut replies = replies.into_inner();
    for _ in 0..3 {
        assert_eq!(replies.message().await.unwrap().unwrap().message, "c");
    }
    assert!(replies.message().await.unwrap().is_none());

    let mut failing = say("e");
    failing.fail_with_code = Code::DataLoss as u32;
    let requests = tokio_stream::iter([say("d"), thrice, failing]);
    let mut replies = client.bidi_stream(requests).await.unwrap().into_inner();
    for message in ["d", "c", "c", "c"] {
        assert_eq!(replies.message().await.unwrap().unwrap().message, message);
    }
    assert_eq!(replies.message().await.unwrap_err().code(), Code::DataLoss);
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_request_asks_for_its_failure() {
    let server = GrpcEcho::start("v1");
    server.pushback(Some(7));
    let mut request = say("x");
    request.fail_with_code = Code::Aborted as u32;
    request.fail_message = "50% as asked".to_owned();
    let status = client(&server).await.unary(request).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Aborted, "50% as asked")
    );
    assert_eq!(trailer(&status, "grpc-retry-pushback-ms"), Some("7"));
    assert_eq!(trailer(&status, "server-id"), Some("v1"));
}

/// The headers and, if there are any, the trailers of a call.
async fn raw(server: &GrpcEcho) -> (http::HeaderMap, Option<http::HeaderMap>) {
    let io = TokioIo::new(TcpStream::connect(server.socket()).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = http::Request::post("http://h/mesh.test.v1.Echo/Unary")
        .header("content-type", "application/grpc")
        .body(crate::net::full(&b"\0\0\0\0\0"[..]))
        .unwrap();
    let response = client.send_request(request).await.unwrap();
    let (head, body) = response.into_parts();
    let trailers = body.collect().await.unwrap().trailers().cloned();
    (head.headers, trailers)
}

#[tokio::test]
async fn fails_by_trailers_alone_or_after_headers() {
    let server = GrpcEcho::start("v1");
    server.pushback(Some(-1));
    server.fail_next(1, Code::Unavailable);
    let (head, trailers) = raw(&server).await;
    assert_eq!(head["grpc-status"], "14");
    assert_eq!(head["grpc-retry-pushback-ms"], "-1");
    assert!(trailers.is_none());

    server.fail_after_headers(true);
    server.fail_next(1, Code::Unavailable);
    let (head, trailers) = raw(&server).await;
    assert!(!head.contains_key("grpc-status"));
    assert_eq!(trailers.unwrap()["grpc-status"], "14");

    let (_, trailers) = raw(&server).await;
    let trailers = trailers.unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    assert!(!trailers.contains_key("grpc-retry-pushback-ms"));
    assert_eq!((server.in_flight(), server.cancelled()), (0, 0));
}

#[tokio::test]
async fn refuses_streams() {
    let server = GrpcEcho::start("v1");
    server.refuse_streams_next(1);
    let mut client = client(&server).await;
    let status = client.unary(say("a")).await.unwrap_err();
    let mut cause: Option<&dyn std::error::Error> = Some(&status);
    let mut reason = None;
    while let Some(error) = cause {
        reason = reason.or(error
            .downcast_ref::<h2::Error>()
            .and_then(h2::Error::reason));
        cause = error.source();
    }
    assert_eq!(reason, Some(h2::Reason::REFUSED_STREAM));
    assert!(client.unary(say("b")).await.is_ok());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn counts_calls_given_up() {
    let server = GrpcEcho::start("v1");
    server.hold();
    let mut client = client(&server).await;
    let call = tokio::spawn(async move { client.unary(say("a")).await });
    server
        .wait_for("a call", |server| server.in_flight() == 1)
        .await;
    call.abort();
    server
        .wait_for("its end", |server| server.cancelled() == 1)
        .await;
}
