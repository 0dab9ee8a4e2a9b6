//! Request bodies that are sent again, or are too long for it.

use std::{
    future::ready,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request};
use http_body::{Body, Frame};
use http_body_util::{Full, StreamBody};
use mesh_core::{
    ErrorKind,
    config::{BackoffConfig, Forward, RetryConditions, RetryPolicy},
};
use mesh_testkit::echo::Behaviour;

use crate::support::{PROTOCOLS, alone, failure, read};

fn retried(forward: &mut Forward) {
    forward.retry = Some(Arc::new(RetryPolicy {
        on: RetryConditions::FIVE_XX,
        status_codes: Vec::new(),
        num_retries: 2,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    }));
}

fn post<B>(body: B) -> Request<B> {
    Request::post("http://shop.test/upload").body(body).unwrap()
}

/// A body of `count` frames of `size` bytes. It panics when it is polled after its end.
fn frames(count: usize, size: usize) -> impl Body<Data = Bytes, Error = io::Error> + Unpin + Send {
    let frames = stream::unfold(0, move |sent| {
        let byte = b'a' + u8::try_from(sent % 26).unwrap();
        let frame = Frame::data(Bytes::from(vec![byte; size]));
        ready((sent < count).then_some((Ok(frame), sent + 1)))
    });
    StreamBody::new(Box::pin(frames))
}

#[tokio::test(start_paused = true)]
async fn a_streaming_body_is_sent_again_whole() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, retried);
        server.next(2, Behaviour::status(503));
        let answer = client.send(post(frames(26, 1_000))).await.unwrap();
        let seen = read(answer).await;
        assert_eq!((seen.serial, seen.body_len), (3, 26_000));
        let bodies = server.requests();
        assert!(bodies.iter().all(|it| it.body == bodies[0].body));
    }
}

#[tokio::test(start_paused = true)]
async fn trailers_are_sent_again() {
    // Over HTTP/1 trailers need a header that announces them.
    let protocol = PROTOCOLS[1];
    let (server, client) = alone(protocol, retried);
    server.next(1, Behaviour::status(503));
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "7".parse().unwrap());
    let frames = [
        Frame::data(Bytes::from("one")),
        Frame::data(Bytes::from("two")),
        Frame::trailers(trailers),
    ];
    let body = StreamBody::new(stream::iter(frames).map(Ok::<_, io::Error>));
    let seen = read(client.send(post(body)).await.unwrap()).await;
    assert_eq!((seen.serial, seen.body.as_deref()), (2, Some("onetwo")));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_all_there_is_sent_again_whatever_its_length() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, retried);
        server.next(1, Behaviour::status(503));
        let body = Full::new(Bytes::from(vec![7; 3 << 20]));
        let seen = read(client.send(post(body)).await.unwrap()).await;
        assert_eq!((seen.serial, seen.body_len), (2, 3 << 20));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_over_the_limit_is_sent_once() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, retried);
        server.next(1, Behaviour::status(503));
        let answer = client.send(post(frames(32, 64 << 10))).await.unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(server.count(), 1);
        assert_eq!(server.requests()[0].body_len, Some(2 << 20));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_fails_is_the_callers_fault_and_sent_once() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, retried);
        let frames = stream::iter([
            Ok(Frame::data(Bytes::from("one"))),
            Ok(Frame::data(Bytes::from("two"))),
            Err(io::Error::other("the disk is on fire")),
        ]);
        let error = failure(&client, post(StreamBody::new(frames))).await;
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{error}");
        assert!(error.to_string().contains("the disk is on fire"), "{error}");
        assert!(server.count() <= 1);
    }
}

/// The least for which h2's servers do not count a frame that waits to be read as an attack.
const SIZE: usize = 256;

/// Frames that were made and still exist.
#[derive(Clone, Default)]
struct Kept(Arc<AtomicUsize>);

impl Kept {
    fn frame(&self) -> Bytes {
        self.0.fetch_add(1, Ordering::SeqCst);
        Bytes::from_owner(Counted(self.clone()))
    }
}

struct Counted(Kept);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &[b'x'; SIZE]
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A stream is sent through a route that retries; at no time are more of its frames kept than the
/// replay limit and the windows of a connection hold.
#[tokio::test]
async fn a_stream_of_a_million_frames_stays_within_bounds() {
    const BOUND: usize = 20_000;
    for (protocol, count) in [(PROTOCOLS[0], 100_000), (PROTOCOLS[1], 1_000_000)] {
        let (server, client) = alone(protocol, retried);
        // The server reads nothing at first: all that is kept then is kept by us.
        server.hold();
        let (kept, most) = (Kept::default(), Arc::new(AtomicUsize::new(0)));
        let (source, peak) = (kept.clone(), Arc::clone(&most));
        let frames = stream::iter(0..count).map(move |_| {
            let frame = source.frame();
            peak.fetch_max(source.0.load(Ordering::SeqCst), Ordering::SeqCst);
            Ok::<_, io::Error>(Frame::data(frame))
        });
        let answer = tokio::spawn(async move {
            let answer = client.send(post(StreamBody::new(frames))).await;
            read(answer.unwrap()).await
        });
        server
            .wait_for("the request to arrive", |it| it.count() == 1)
            .await;
        server.release();
        assert_eq!(answer.await.unwrap().body_len, (SIZE * count) as u64);
        let most = most.load(Ordering::SeqCst);
        assert!(most < BOUND, "{most} frames were kept at once");
        assert_eq!(kept.0.load(Ordering::SeqCst), 0);
    }
}
