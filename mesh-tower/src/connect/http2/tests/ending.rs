//! Resets, GOAWAY, lost connections, limits, keepalive, release.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::BodyExt;

use super::raw::*;
use super::{channel_body, data, next_data, request, soon, until};
use crate::body::RequestBody;
use crate::connect::http2::{ConnectionState, Http2Send, Http2Settings};
use crate::connect::{ResetReason, SendFailureKind};

fn empty() -> Request<RequestBody> {
    request(RequestBody::empty())
}

impl RawPeer {
    fn send(&self, request: Request<RequestBody>) -> Http2Send {
        self.client.try_reserve().unwrap().send(request)
    }
}

#[tokio::test]
async fn the_end_of_stream_rides_on_the_last_frame() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let _bare = peer.send(empty());
    let headers = peer.expect(HEADERS).await;
    assert_eq!(headers.flags, END_HEADERS | END_STREAM);

    let _full = peer.send(request(RequestBody::full(Bytes::from_static(b"abc"))));
    assert_eq!(peer.expect(HEADERS).await.flags, END_HEADERS);
    let frame = peer.expect(DATA).await;
    assert_eq!((frame.flags, &frame.payload[..]), (END_STREAM, &b"abc"[..]));

    // A body that announces its end with its last frame.
    let large = Bytes::from(vec![1; 20_000]);
    let _pumped = tokio::spawn(peer.send(request(RequestBody::full(large))));
    assert_eq!(peer.expect(HEADERS).await.flags, END_HEADERS);
    let mut got = 0;
    loop {
        let frame = peer.expect(DATA).await;
        assert!(!frame.payload.is_empty());
        got += frame.payload.len();
        if frame.flags == END_STREAM {
            break;
        }
    }
    assert_eq!(got, 20_000);
    peer.sync().await;
}

#[tokio::test]
async fn resets_keep_their_meaning() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    for (code, streaming) in [(7, false), (2, false), (7, true), (11, true), (99, false)] {
        let (_sender, body) = channel_body();
        let body = if streaming {
            body
        } else {
            RequestBody::empty()
        };
        let call = tokio::spawn(peer.send(request(body)));
        let stream = peer.expect(HEADERS).await.stream;
        peer.reset(stream, code).await;
        let failure = soon(call).await.unwrap().unwrap_err();
        match failure.kind {
            SendFailureKind::Refused => assert_eq!(code, 7),
            SendFailureKind::Reset(reason) => {
                assert_ne!(code, 7);
                assert_eq!(reason.code(), code);
            }
            other => panic!("{other:?}"),
        }
        assert!(failure.request.is_none());
        assert_eq!(peer.client.in_flight(), 0);
    }
    assert_eq!(peer.client.state(), ConnectionState::Open);
}

/// After response headers a refusal is a plain reset: the peer has begun to process.
#[tokio::test]
async fn a_reset_of_the_response_is_an_error_of_its_body() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    peer.write(HEADERS, END_HEADERS, 1, STATUS_200).await;
    peer.write(DATA, 0, 1, b"part").await;
    let mut body = soon(call).await.unwrap().unwrap().into_body();
    assert_eq!(next_data(&mut body).await, "part");
    peer.reset(1, 7).await;
    let error = soon(body.frame()).await.unwrap().unwrap_err();
    let reason = error.kind().reset_reason();
    assert_eq!(reason, Some(ResetReason::REFUSED_STREAM));
    assert_eq!(peer.client.in_flight(), 0);
    assert!(soon(body.frame()).await.is_none());
}

#[tokio::test]
async fn go_away_refuses_streams_above_its_last_and_lets_others_finish() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let first = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    let second = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    let unused = peer.client.try_reserve().unwrap();
    peer.go_away(1, 0).await;
    let failure = soon(second).await.unwrap().unwrap_err();
    assert!(matches!(failure.kind, SendFailureKind::Refused));
    until(|| peer.client.state() == ConnectionState::Draining).await;
    assert!(peer.client.try_reserve().is_none());
    assert_eq!(peer.client.available(), 0);
    assert!(soon(peer.client.reserve()).await.is_none());

    // Reserved before, sent after: it comes back whole.
    let failure = soon(unused.send(empty())).await.unwrap_err();
    assert!(matches!(failure.kind, SendFailureKind::Unsent));
    assert_eq!(failure.request.unwrap().uri().path(), "/pkg.Greeter/Hi");

    peer.write(HEADERS, END_HEADERS, 1, STATUS_200).await;
    peer.write(DATA, END_STREAM, 1, b"fine").await;
    let body = soon(first).await.unwrap().unwrap().into_body();
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), "fine");
    soon(peer.driver).await.unwrap();
    assert_eq!(peer.client.state(), ConnectionState::Closed);
}

/// As graceful servers do (RFC 9113 section 6.8): first a warning, then the truth.
#[tokio::test]
async fn a_second_go_away_narrows_the_first() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let first = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    let second = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    peer.go_away((1 << 31) - 1, 0).await;
    peer.sync().await;
    until(|| peer.client.state() == ConnectionState::Draining).await;
    assert!(!first.is_finished() && !second.is_finished());
    peer.go_away(1, 0).await;
    let failure = soon(second).await.unwrap().unwrap_err();
    assert!(matches!(failure.kind, SendFailureKind::Refused));
    peer.write(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200)
        .await;
    soon(first).await.unwrap().unwrap();
    soon(peer.driver).await.unwrap();
}

#[tokio::test]
async fn interim_responses_are_skipped() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    // A literal `:status: 103`.
    peer.write(HEADERS, END_HEADERS, 1, b"\x08\x03103").await;
    peer.sync().await;
    assert!(!call.is_finished());
    peer.write(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200)
        .await;
    assert_eq!(soon(call).await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_stream_that_go_away_covers_is_not_refused_when_the_connection_ends() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    peer.go_away(1, 0).await;
    drop(peer.io);
    let failure = soon(call).await.unwrap().unwrap_err();
    assert!(
        matches!(failure.kind, SendFailureKind::ConnectionLost(_)),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_lost_connection_fails_calls_and_bodies() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let waiting = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    let reading = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    peer.write(HEADERS, END_HEADERS, 3, STATUS_200).await;
    peer.write(DATA, 0, 3, b"half").await;
    let mut body = soon(reading).await.unwrap().unwrap().into_body();
    drop(peer.io);
    let failure = soon(waiting).await.unwrap().unwrap_err();
    assert!(matches!(failure.kind, SendFailureKind::ConnectionLost(_)));
    assert_eq!(next_data(&mut body).await, "half");
    let error = soon(body.frame()).await.unwrap().unwrap_err();
    assert!(matches!(error.kind(), SendFailureKind::ConnectionLost(_)));
    soon(peer.client.closed()).await;
    soon(peer.driver).await.unwrap();
    assert_eq!(peer.client.state(), ConnectionState::Closed);
    assert!(peer.client.close_cause().is_some());
    assert_eq!(peer.client.in_flight(), 0);
    assert!(peer.client.try_reserve().is_none());
}

#[tokio::test]
async fn nonsense_from_the_peer_is_a_protocol_error() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    // DATA before any HEADERS.
    peer.write(DATA, 0, 1, b"?").await;
    let failure = soon(call).await.unwrap().unwrap_err();
    assert!(
        matches!(failure.kind, SendFailureKind::Protocol(_)),
        "{failure:?}"
    );
    assert_eq!(peer.client.in_flight(), 0);
}

#[tokio::test]
async fn dropping_a_call_or_its_body_cancels_the_stream() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    call.abort();
    let reset = peer.expect(RST_STREAM).await;
    assert_eq!((reset.stream, &reset.payload[..]), (1, &[0, 0, 0, 8][..]));
    assert_eq!(peer.client.in_flight(), 0);

    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    peer.write(HEADERS, END_HEADERS, 3, STATUS_200).await;
    let response = soon(call).await.unwrap().unwrap();
    assert_eq!(peer.client.in_flight(), 1);
    drop(response);
    let reset = peer.expect(RST_STREAM).await;
    assert_eq!((reset.stream, &reset.payload[..]), (3, &[0, 0, 0, 8][..]));
    assert_eq!(peer.client.in_flight(), 0);

    // With an upload under way.
    let (sender, body) = channel_body();
    let call = tokio::spawn(peer.send(request(body)));
    peer.expect(HEADERS).await;
    peer.write(HEADERS, END_HEADERS, 5, STATUS_200).await;
    drop(soon(call).await.unwrap().unwrap());
    let reset = peer.expect(RST_STREAM).await;
    assert_eq!((reset.stream, &reset.payload[..]), (5, &[0, 0, 0, 8][..]));
    until(|| peer.client.in_flight() == 0).await;
    assert!(sender.is_closed());
}

#[tokio::test]
async fn an_early_end_of_the_response_ends_the_upload_without_error() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    // With the headers.
    let (sender, body) = channel_body();
    let call = tokio::spawn(peer.send(request(body)));
    peer.expect(HEADERS).await;
    peer.write(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200)
        .await;
    let response = soon(call).await.unwrap().unwrap();
    assert!(response.body().is_end_stream());
    assert!(sender.is_closed());
    let reset = peer.expect(RST_STREAM).await;
    assert_eq!((reset.stream, &reset.payload[..]), (1, &[0; 4][..]));

    // Later.
    let (sender, body) = channel_body();
    let call = tokio::spawn(peer.send(request(body)));
    peer.expect(HEADERS).await;
    peer.write(HEADERS, END_HEADERS, 3, STATUS_200).await;
    let body = soon(call).await.unwrap().unwrap().into_body();
    sender.send(data("going")).await.unwrap();
    assert_eq!(peer.expect(DATA).await.payload, b"going");
    peer.write(DATA, END_STREAM, 3, b"enough").await;
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), "enough");
    let reset = peer.expect(RST_STREAM).await;
    assert_eq!((reset.stream, &reset.payload[..]), (3, &[0; 4][..]));
    until(|| peer.client.in_flight() == 0 && sender.is_closed()).await;

    // The peer says so itself, as RFC 9113 section 8.1 lets it.
    let (_sender, body) = channel_body();
    let call = tokio::spawn(peer.send(request(body)));
    peer.expect(HEADERS).await;
    peer.write(HEADERS, END_HEADERS, 5, STATUS_200).await;
    peer.write(DATA, END_STREAM, 5, b"whole").await;
    peer.reset(5, 0).await;
    let body = soon(call).await.unwrap().unwrap().into_body();
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), "whole");
}

#[tokio::test]
async fn the_peers_stream_limit_is_never_exceeded() {
    // MAX_CONCURRENT_STREAMS = 2
    let mut peer = RawPeer::announcing(&Http2Settings::default(), &[0, 3, 0, 0, 0, 2]).await;
    assert_eq!(peer.client.available(), 100);
    peer.sync().await;
    until(|| peer.client.available() == 2).await;
    let first = tokio::spawn(peer.send(empty()));
    let second = peer.client.try_reserve().unwrap();
    assert!(peer.client.try_reserve().is_none());
    assert_eq!((peer.client.available(), peer.client.in_flight()), (0, 2));
    let client = peer.client.clone();
    let waiting = tokio::spawn(async move { client.reserve().await });
    peer.expect(HEADERS).await;
    peer.write(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200)
        .await;
    soon(first).await.unwrap().unwrap();
    let third = soon(waiting).await.unwrap().unwrap();
    assert!(peer.client.try_reserve().is_none());
    drop(second);
    assert_eq!(peer.client.available(), 1);
    drop(third);

    // The peer changes its mind: to one, then to many.
    peer.write(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1]).await;
    until(|| peer.client.available() == 1).await;
    peer.write(SETTINGS, 0, 0, &[0, 3, 0, 0, 1, 0]).await;
    until(|| peer.client.available() == 256).await;
}

#[tokio::test]
async fn waiting_for_a_slot_ends_with_a_higher_limit_or_with_the_connection() {
    let mut peer = RawPeer::announcing(&Http2Settings::default(), &[0, 3, 0, 0, 0, 0]).await;
    peer.sync().await;
    until(|| peer.client.available() == 0).await;
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let client = peer.client.clone();
            tokio::spawn(async move { client.reserve().await })
        })
        .collect();
    peer.sync().await;
    peer.write(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 2]).await;
    until(|| peer.client.in_flight() == 2).await;
    peer.go_away(0, 0).await;
    let mut got = Vec::new();
    for waiter in waiters {
        got.push(soon(waiter).await.unwrap());
    }
    assert_eq!(got.iter().filter(|permit| permit.is_some()).count(), 2);
}

#[tokio::test]
async fn our_own_stream_limit_holds_too() {
    let settings = Http2Settings {
        max_streams: 3,
        ..Http2Settings::default()
    };
    let mut peer = RawPeer::start(&settings).await;
    peer.sync().await;
    assert_eq!(peer.client.available(), 3);
}

/// A wave of requests on one slot: the one before must not keep the next from going out.
#[tokio::test]
async fn one_slot_carries_one_request_after_the_other() {
    let mut peer = RawPeer::announcing(&Http2Settings::default(), &[0, 3, 0, 0, 0, 1]).await;
    peer.sync().await;
    until(|| peer.client.available() == 1).await;
    for n in 0..50_u32 {
        let call = tokio::spawn(soon(peer.client.reserve()).await.unwrap().send(empty()));
        let frame = peer.expect(HEADERS).await;
        if n % 2 == 0 {
            peer.write(HEADERS, END_HEADERS | END_STREAM, frame.stream, STATUS_200)
                .await;
            soon(call).await.unwrap().unwrap();
        } else {
            call.abort();
            peer.expect(RST_STREAM).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_ping_closes_the_connection() {
    let settings = Http2Settings {
        keepalive_interval: Some(Duration::from_secs(10)),
        ..Http2Settings::default()
    };
    let mut peer = RawPeer::start(&settings).await;
    let started = tokio::time::Instant::now();
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    // The first is answered, so the second goes out; that one is not.
    let ping = peer.expect(PING).await;
    assert_eq!(ping.flags, 0);
    peer.write(PING, ACK, 0, &ping.payload).await;
    peer.expect(PING).await;
    let failure = tokio::time::timeout(Duration::from_secs(600), call)
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
    assert!(
        matches!(&failure.kind, SendFailureKind::ConnectionLost(t) if t.contains("keepalive")),
        "{failure:?}"
    );
    assert_eq!(peer.client.close_cause(), Some("keepalive timed out"));
    // Virtual time: two intervals and one timeout.
    let took = started.elapsed().as_secs();
    assert!((40..=41).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn idle_connections_are_pinged_only_if_asked() {
    for while_idle in [false, true] {
        let settings = Http2Settings {
            keepalive_interval: Some(Duration::from_secs(10)),
            keepalive_while_idle: while_idle,
            ..Http2Settings::default()
        };
        let mut peer = RawPeer::start(&settings).await;
        let read = tokio::time::timeout(Duration::from_secs(25), async {
            loop {
                let frame = peer.read_any().await.unwrap();
                if frame.kind == PING {
                    return;
                }
            }
        });
        assert_eq!(read.await.is_ok(), while_idle);
    }
}

#[tokio::test]
async fn the_last_handle_ends_the_task_once_no_stream_is_open() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    let permit = peer.client.try_reserve().unwrap();
    let closed = peer.client.closed();
    // Another connection's handle takes the place of the last one.
    let other = RawPeer::start(&Http2Settings::default()).await;
    drop(std::mem::replace(&mut peer.client, other.client));
    drop(permit);
    assert!(!peer.driver.is_finished());
    peer.write(HEADERS, END_HEADERS, 1, STATUS_200).await;
    peer.write(DATA, END_STREAM, 1, b"last words").await;
    let body = soon(call).await.unwrap().unwrap().into_body();
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), "last words");
    soon(&mut peer.driver).await.unwrap();
    soon(closed).await;
    let frame = peer.expect(GOAWAY).await;
    assert_eq!(&frame.payload[4..8], &[0; 4]);
    assert!(peer.read_any().await.is_none());
}

#[tokio::test]
async fn an_unused_connection_closes_with_its_last_handle() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    peer.sync().await;
    let RawPeer {
        client,
        driver,
        io: _io,
    } = peer;
    let second = client.clone();
    drop(client);
    tokio::task::yield_now().await;
    assert!(!driver.is_finished());
    drop(second);
    soon(driver).await.unwrap();
}

#[tokio::test]
async fn shutdown_lets_streams_finish() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    let reserved = peer.client.try_reserve().unwrap();
    peer.client.shutdown();
    assert_eq!(peer.client.state(), ConnectionState::Draining);
    assert!(peer.client.try_reserve().is_none());
    let failure = soon(reserved.send(empty())).await.unwrap_err();
    assert!(matches!(failure.kind, SendFailureKind::Unsent));
    assert!(failure.request.is_some());
    peer.sync().await;
    assert!(!peer.driver.is_finished());
    peer.write(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200)
        .await;
    soon(call).await.unwrap().unwrap();
    soon(&mut peer.driver).await.unwrap();
    assert_eq!(peer.client.state(), ConnectionState::Closed);
    peer.expect(GOAWAY).await;
}

#[tokio::test]
async fn dropping_the_driver_fails_its_streams() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    peer.driver.abort();
    let failure = soon(call).await.unwrap().unwrap_err();
    assert!(
        matches!(&failure.kind, SendFailureKind::ConnectionLost(t) if t.contains("dropped")),
        "{failure:?}"
    );
    soon(peer.client.closed()).await;
}

#[tokio::test]
async fn an_answer_with_too_many_headers_fails_alone() {
    let mut peer = RawPeer::start(&Http2Settings::default()).await;
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    // Literals that are not indexed: `x: aaa..`, 10,127 bytes each, of which 60 KiB hold six.
    let field = [&[0, 1, b'x', 0x7f, 0x90, 0x4e][..], &[b'a'; 10_127]].concat();
    peer.write(HEADERS, 0, 1, &[STATUS_200, &field].concat())
        .await;
    for left in (0..6).rev() {
        let flags = if left == 0 { END_HEADERS } else { 0 };
        peer.write(CONTINUATION, flags, 1, &field).await;
    }
    let failure = soon(call).await.unwrap().unwrap_err();
    assert!(
        matches!(failure.kind, SendFailureKind::Protocol(_)),
        "{failure:?}"
    );
    assert_eq!(peer.expect(RST_STREAM).await.stream, 1);

    // As many as may be.
    let call = tokio::spawn(peer.send(empty()));
    peer.expect(HEADERS).await;
    peer.write(HEADERS, 0, 3, &[STATUS_200, &field].concat())
        .await;
    for left in (0..4).rev() {
        let flags = if left == 0 { END_HEADERS } else { 0 };
        peer.write(CONTINUATION, flags, 3, &field).await;
    }
    let response = soon(call).await.unwrap().unwrap();
    assert_eq!(response.headers().get_all("x").iter().count(), 5);
}
