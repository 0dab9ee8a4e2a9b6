//! What requests and responses carry.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use http_body::{Body, Frame};
use http_body_util::BodyExt;

use super::peer::Peer;
use super::{channel_body, data, next_data, request, soon, until};
use crate::body::RequestBody;
use crate::connect::SendFailureKind;

fn trailers() -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert("grpc-status", HeaderValue::from_static("0"));
    map
}

async fn collect(mut body: h2::RecvStream) -> (Vec<u8>, Option<HeaderMap>) {
    let mut all = Vec::new();
    while let Some(chunk) = soon(body.data()).await {
        let chunk = chunk.unwrap();
        body.flow_control().release_capacity(chunk.len()).unwrap();
        all.extend_from_slice(&chunk);
    }
    (all, soon(body.trailers()).await.unwrap())
}

#[tokio::test]
async fn unary_over_tcp() {
    let mut peer = Peer::over_tcp().await;
    let permit = peer.client.try_reserve().unwrap();
    let call = permit.send(request(RequestBody::full(Bytes::from_static(b"hello"))));
    let call = tokio::spawn(call);

    let (request, mut respond) = peer.accept().await;
    assert_eq!(
        request.uri(),
        "http://greeter.example:81/pkg.Greeter/Hi?x=1"
    );
    assert_eq!(request.headers()["x-first"], "1");
    assert_eq!(request.headers()["te"], "trailers");
    for gone in ["host", "connection", "x-hop", "content-length"] {
        assert!(!request.headers().contains_key(gone), "{gone}");
    }
    assert_eq!(
        collect(request.into_body()).await,
        (b"hello".to_vec(), None)
    );
    let head = Response::builder()
        .status(StatusCode::ACCEPTED)
        .header("x-reply", "yes")
        .header("content-length", "2")
        .body(())
        .unwrap();
    let mut stream = respond.send_response(head, false).unwrap();
    stream.send_data(Bytes::from_static(b"ok"), false).unwrap();
    stream.send_trailers(trailers()).unwrap();

    let response = soon(call).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(response.headers()["x-reply"], "yes");
    let mut body = response.into_body();
    assert_eq!(body.size_hint().exact(), Some(2));
    assert!(!body.is_end_stream());
    assert_eq!(next_data(&mut body).await, "ok");
    assert_eq!(body.size_hint().exact(), Some(0));
    assert_eq!(peer.client.in_flight(), 1);
    let frame = soon(body.frame()).await.unwrap().unwrap();
    assert_eq!(frame.into_trailers().unwrap(), trailers());
    assert!(body.is_end_stream());
    // The slot is free at the trailers, whether or not the caller asks for the end.
    assert_eq!(peer.client.in_flight(), 0);
    assert!(soon(body.frame()).await.is_none());
}

#[tokio::test]
async fn trailers_only_response_is_ended_at_once() {
    let mut peer = Peer::start().await;
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(RequestBody::empty())));
    let (request, mut respond) = peer.accept().await;
    assert!(request.body().is_end_stream());
    let mut head = Response::new(());
    *head.headers_mut() = trailers();
    respond.send_response(head, true).unwrap();
    let response = soon(call).await.unwrap().unwrap();
    assert_eq!(response.headers()["grpc-status"], "0");
    assert!(response.body().is_end_stream());
    assert_eq!(response.body().size_hint().exact(), Some(0));
    assert_eq!(peer.client.in_flight(), 0);
}

#[tokio::test]
async fn client_streaming_with_trailers() {
    let mut peer = Peer::start().await;
    let (sender, body) = channel_body();
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(body)));
    let (request, mut respond) = peer.accept().await;
    let server = tokio::spawn(collect(request.into_body()));
    for text in ["a", "", "bc"] {
        sender.send(data(text)).await.unwrap();
    }
    sender.send(Ok(Frame::trailers(trailers()))).await.unwrap();
    drop(sender);
    let got = soon(server).await.unwrap();
    assert_eq!(got, (b"abc".to_vec(), Some(trailers())));
    respond.send_response(Response::new(()), true).unwrap();
    assert!(soon(call).await.unwrap().is_ok());
}

#[tokio::test]
async fn server_streaming() {
    let mut peer = Peer::start().await;
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(RequestBody::empty())));
    let (_, mut respond) = peer.accept().await;
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    let mut body = soon(call).await.unwrap().unwrap().into_body();
    assert_eq!(body.size_hint().exact(), None);
    for text in ["one", "two", "three"] {
        stream
            .send_data(Bytes::from_static(text.as_bytes()), false)
            .unwrap();
        assert_eq!(next_data(&mut body).await, text);
    }
    stream.send_data(Bytes::new(), true).unwrap();
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), "");
    assert_eq!(peer.client.in_flight(), 0);
}

#[tokio::test]
async fn bidirectional_streams_interleave() {
    let mut peer = Peer::start().await;
    let (sender, body) = channel_body();
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(body)));
    let (request, mut respond) = peer.accept().await;
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    let mut reply = soon(call).await.unwrap().unwrap().into_body();
    let mut incoming = request.into_body();
    for text in ["ping", "pong", "again"] {
        sender.send(data(text)).await.unwrap();
        let got = soon(incoming.data()).await.unwrap().unwrap();
        assert_eq!(got, text);
        stream.send_data(got, false).unwrap();
        assert_eq!(next_data(&mut reply).await, text);
    }
    drop(sender);
    assert_eq!(collect(incoming).await, (Vec::new(), None));
    stream.send_trailers(trailers()).unwrap();
    let rest = soon(reply.collect()).await.unwrap();
    assert_eq!(rest.trailers(), Some(&trailers()));
    until(|| peer.client.in_flight() == 0).await;
}

/// Writing must not wait for reading: a caller may do one after the other in one task.
#[tokio::test]
async fn an_upload_goes_on_while_nobody_reads_the_response() {
    let mut peer = Peer::start().await;
    let (sender, body) = channel_body();
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(body)));
    let (request, mut respond) = peer.accept().await;
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    let reply = soon(call).await.unwrap().unwrap().into_body();
    let server = tokio::spawn(collect(request.into_body()));
    // The channel holds one frame.
    for _ in 0..20 {
        soon(sender.send(data("x"))).await.unwrap();
    }
    drop(sender);
    assert_eq!(soon(server).await.unwrap().0.len(), 20);
    stream.send_data(Bytes::from_static(b"done"), true).unwrap();
    assert_eq!(soon(reply.collect()).await.unwrap().to_bytes(), "done");
}

#[tokio::test]
async fn a_failing_body_is_told_from_a_failing_peer() {
    let mut peer = Peer::start().await;
    // Before the response headers.
    let (sender, body) = channel_body();
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(body)));
    let (request, _respond) = peer.accept().await;
    sender.send(Err("broken pipe dream".into())).await.unwrap();
    let failure = soon(call).await.unwrap().unwrap_err();
    assert!(
        matches!(&failure.kind, SendFailureKind::RequestBody(e) if e.to_string() == "broken pipe dream"),
        "{failure:?}"
    );
    let reset = soon(request.into_body().data()).await.unwrap().unwrap_err();
    assert_eq!(reset.reason(), Some(h2::Reason::CANCEL));

    // After them.
    let (sender, body) = channel_body();
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(super::request(body)));
    let (_request, mut respond) = peer.accept().await;
    let _stream = respond.send_response(Response::new(()), false).unwrap();
    let mut reply = soon(call).await.unwrap().unwrap().into_body();
    sender.send(Err("late".into())).await.unwrap();
    let error = soon(reply.frame()).await.unwrap().unwrap_err();
    assert!(
        matches!(error.kind(), SendFailureKind::RequestBody(e) if e.to_string() == "late"),
        "{error:?}"
    );
    drop(reply);
    until(|| peer.client.in_flight() == 0).await;
}

#[tokio::test]
async fn a_request_without_authority_comes_back() {
    let peer = Peer::start().await;
    let mut bad = request(RequestBody::empty());
    *bad.uri_mut() = "/only/a/path".parse().unwrap();
    bad.headers_mut().remove(http::header::HOST);
    let permit = peer.client.try_reserve().unwrap();
    let failure = soon(permit.send(bad)).await.unwrap_err();
    assert!(matches!(&failure.kind, SendFailureKind::Protocol(t) if t.contains("authority")));
    assert_eq!(failure.request.unwrap().uri(), "/only/a/path");
    assert_eq!(peer.client.in_flight(), 0);
}
