//! Flow control: large bodies, small windows, slow readers.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::server::Builder;
use http::{HeaderName, HeaderValue, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};

use super::peer::Peer;
use super::{next_data, request, soon, until};
use crate::body::{BoxError, RequestBody};
use crate::connect::http2::Http2Settings;

const CHUNK: usize = 10_000;

/// Makes `left` chunks and counts what was taken from it.
struct Counted {
    left: usize,
    taken: Arc<AtomicUsize>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.taken.fetch_add(CHUNK, Ordering::Relaxed);
        let fill = (self.left % 251) as u8;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![fill; CHUNK])))))
    }
}

fn small_windows() -> Builder {
    let mut builder = Builder::new();
    builder
        .initial_window_size(20_000)
        .initial_connection_window_size(65_535);
    builder
}

#[tokio::test]
async fn a_large_streaming_upload_is_held_back_by_the_reader() {
    let mut peer = Peer::with(&Http2Settings::default(), &small_windows()).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let total = 400 * CHUNK;
    let body = RequestBody::boxed(Counted {
        left: 400,
        taken: taken.clone(),
    });
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(body)));
    let (request, mut respond) = peer.accept().await;
    let mut incoming = request.into_body();
    let mut got = 0;
    while let Some(chunk) = soon(incoming.data()).await {
        let chunk = chunk.unwrap();
        got += chunk.len();
        // At most the peer's window and one chunk are ahead of what the reader has let through.
        let ahead = taken.load(Ordering::Relaxed) - (got - chunk.len());
        assert!(ahead <= 20_000 + 2 * CHUNK, "{ahead} bytes ahead");
        incoming
            .flow_control()
            .release_capacity(chunk.len())
            .unwrap();
    }
    assert_eq!(got, total);
    respond.send_response(Response::new(()), true).unwrap();
    assert!(soon(call).await.unwrap().is_ok());
}

/// Small frames by number, a large one among them, and trailers if asked for.
fn small_frames(count: usize, trailers: bool) -> (RequestBody, Vec<u8>) {
    let piece = |number: usize| match number {
        70 => vec![b'L'; 5_000],
        _ => format!("frame {number};").into_bytes(),
    };
    let frames = (0..count).map(move |number| Frame::data(Bytes::from(piece(number))));
    let end =
        trailers.then(|| Frame::trailers([("x-end", "yes")].map(header).into_iter().collect()));
    let frames = frames.chain(end).map(Ok::<_, BoxError>);
    let body = StreamBody::new(futures_util::stream::iter(frames));
    (
        RequestBody::boxed(body),
        (0..count).flat_map(piece).collect(),
    )
}

fn header((name, value): (&'static str, &'static str)) -> (HeaderName, HeaderValue) {
    (
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )
}

#[tokio::test]
async fn small_frames_that_are_there_are_sent_together() {
    for trailers in [false, true] {
        let mut peer = Peer::start().await;
        let (body, expected) = small_frames(500, trailers);
        let permit = peer.client.try_reserve().unwrap();
        let call = tokio::spawn(permit.send(request(body)));
        let (request, mut respond) = peer.accept().await;
        let mut incoming = request.into_body();
        let (mut got, mut frames) = (Vec::new(), 0);
        while let Some(chunk) = soon(incoming.data()).await {
            got.extend_from_slice(&chunk.unwrap());
            frames += 1;
        }
        assert_eq!(got, expected);
        // Those before the large one, that one, and those behind it; perhaps an empty one as an end.
        assert!(frames <= 4, "{frames}");
        let end = soon(incoming.trailers()).await.unwrap();
        assert_eq!(end.is_some_and(|end| end["x-end"] == "yes"), trailers);
        respond.send_response(Response::new(()), true).unwrap();
        assert!(soon(call).await.unwrap().is_ok());
    }
}

/// A server ends a connection on which too many small frames wait to be read.
#[tokio::test]
async fn many_small_frames_do_not_end_the_connection() {
    let mut peer = Peer::start().await;
    let (body, expected) = small_frames(50_000, false);
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(body)));
    let (request, mut respond) = peer.accept().await;
    let mut incoming = request.into_body();
    let mut got = 0;
    while let Some(chunk) = soon(incoming.data()).await {
        let chunk = chunk.unwrap();
        got += chunk.len();
        let mut window = incoming.flow_control().clone();
        window.release_capacity(chunk.len()).unwrap();
        // Everything that the window allows is here before more is read.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(got, expected.len());
    respond.send_response(Response::new(()), true).unwrap();
    assert!(soon(call).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_stalled_reader_stops_the_upload() {
    let mut peer = Peer::with(&Http2Settings::default(), &small_windows()).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let body = RequestBody::boxed(Counted {
        left: 400,
        taken: taken.clone(),
    });
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(body)));
    let (stalled, _respond) = peer.accept().await;
    until(|| taken.load(Ordering::Relaxed) >= 20_000).await;
    // A whole other exchange passes; the stalled one has not moved on.
    let permit = peer.client.try_reserve().unwrap();
    let other = tokio::spawn(permit.send(request(RequestBody::empty())));
    let (_, mut respond) = peer.accept().await;
    respond.send_response(Response::new(()), true).unwrap();
    soon(other).await.unwrap().unwrap();
    assert!(taken.load(Ordering::Relaxed) <= 20_000 + CHUNK);
    // Dropping the call frees its slot though nothing moves.
    call.abort();
    until(|| peer.client.in_flight() == 0).await;
    let mut incoming = stalled.into_body();
    let reset = soon(async {
        loop {
            match incoming.data().await {
                Some(Ok(_)) => {}
                other => return other,
            }
        }
    });
    let reset = reset.await.unwrap().unwrap_err();
    assert_eq!(reset.reason(), Some(h2::Reason::CANCEL));
}

#[tokio::test]
async fn a_large_full_body_arrives_whole() {
    let mut peer = Peer::with(&Http2Settings::default(), &small_windows()).await;
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 249) as u8).collect();
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(RequestBody::full(sent.clone().into()))));
    let (request, mut respond) = peer.accept().await;
    let mut incoming = request.into_body();
    let mut got = Vec::new();
    while let Some(chunk) = soon(incoming.data()).await {
        let chunk = chunk.unwrap();
        incoming
            .flow_control()
            .release_capacity(chunk.len())
            .unwrap();
        got.extend_from_slice(&chunk);
    }
    assert!(got == sent);
    respond.send_response(Response::new(()), true).unwrap();
    assert!(soon(call).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_slow_reader_holds_the_server_back() {
    let window = 30_000;
    let settings = Http2Settings {
        initial_stream_window: window,
        initial_connection_window: 65_535,
        ..Http2Settings::default()
    };
    let mut peer = Peer::with(&settings, &Builder::new()).await;
    let permit = peer.client.try_reserve().unwrap();
    let call = tokio::spawn(permit.send(request(RequestBody::empty())));
    let (_, mut respond) = peer.accept().await;
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    let written = Arc::new(AtomicUsize::new(0));
    let counter = written.clone();
    let total = 3_000_000;
    let server = tokio::spawn(async move {
        let mut left = total;
        while left > 0 {
            stream.reserve_capacity(left.min(CHUNK));
            let room = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
            let room = room.unwrap().unwrap().min(left);
            left -= room;
            counter.fetch_add(room, Ordering::Relaxed);
            stream.send_data(vec![7; room].into(), left == 0).unwrap();
        }
    });
    let mut body = soon(call).await.unwrap().unwrap().into_body();
    until(|| written.load(Ordering::Relaxed) >= window as usize).await;
    let mut read = 0;
    while read < total {
        assert!(written.load(Ordering::Relaxed) <= read + window as usize);
        read += next_data(&mut body).await.len();
    }
    assert_eq!(read, total);
    assert!(soon(body.frame()).await.is_none());
    soon(server).await.unwrap();
}
