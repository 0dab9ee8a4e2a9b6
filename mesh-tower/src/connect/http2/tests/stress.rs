//! Many callers on several threads, with cancels, refusals and early answers.

use std::sync::Arc;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::sync::Notify;

use super::channel_body;
use super::peer::executor;
use super::raw::{END_HEADERS, HEADERS, RawPeer, STATUS_200};
use super::{request, until};
use crate::body::{BoxError, RequestBody};
use crate::connect::SendFailureKind;
use crate::connect::http2::{Http2Connection, Http2Settings, handshake};

const LIMIT: usize = 8;
const CALLERS: u64 = 24;
const CALLS: u64 = 60;

/// Echoes, refuses or answers early, as the request says.
async fn serve(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Option<()> {
    let (head, mut body) = request.into_parts();
    match head.headers["x-do"].as_bytes() {
        b"refuse" => {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
            return None;
        }
        b"early" => {
            respond.send_response(Response::new(()), true).ok()?;
            return None;
        }
        _ => {}
    }
    let mut stream = respond.send_response(Response::new(()), false).ok()?;
    while let Some(chunk) = body.data().await {
        let mut chunk = chunk.ok()?;
        body.flow_control().release_capacity(chunk.len()).ok()?;
        while !chunk.is_empty() {
            stream.reserve_capacity(chunk.len());
            let room = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await?;
            let room = room.ok()?.min(chunk.len());
            stream.send_data(chunk.split_to(room), false).ok()?;
        }
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-end", HeaderValue::from_static("1"));
    stream.send_trailers(trailers).ok()
}

/// A body of `len` bytes, in one piece or several.
fn body(len: usize, streaming: bool) -> RequestBody {
    let data = Bytes::from((0..len).map(|n| (n % 253) as u8).collect::<Vec<_>>());
    if !streaming {
        return RequestBody::full(data);
    }
    let frames: Vec<Result<_, BoxError>> = data
        .chunks(7_000)
        .map(|chunk| Ok(Frame::data(data.slice_ref(chunk))))
        .collect();
    RequestBody::boxed(StreamBody::new(futures_util::stream::iter(frames)))
}

async fn call(client: &Http2Connection, random: &mut fastrand::Rng) {
    let action = *random
        .choice(&["echo", "echo", "echo", "refuse", "early"])
        .unwrap();
    let len = *random.choice(&[0, 3, 16_384, 16_385, 150_000]).unwrap();
    let streaming = random.bool();
    let mut request = request(body(len, streaming));
    let headers = request.headers_mut();
    headers.insert("x-do", HeaderValue::from_static(action));
    let patience = random.usize(0..400);
    let permit = client.reserve().await.unwrap();
    assert!(client.in_flight() <= LIMIT);
    let exchange = async {
        let response = permit.send(request).await?;
        Ok(response.into_body().collect().await)
    };
    let impatient = async {
        for _ in 0..patience {
            tokio::task::yield_now().await;
        }
        if patience > 100 {
            std::future::pending::<()>().await;
        }
    };
    let result: Result<_, crate::connect::SendFailure> = tokio::select! {
        result = exchange => result,
        () = impatient => return,
    };
    match (action, result) {
        ("refuse", Err(failure)) => {
            assert!(
                matches!(failure.kind, SendFailureKind::Refused),
                "{failure:?}"
            );
        }
        ("early", Ok(all)) => assert!(all.unwrap().to_bytes().is_empty()),
        ("echo", Ok(all)) => {
            let all = all.unwrap();
            assert_eq!(all.trailers().unwrap()["x-end"], "1");
            let want = body(len, false);
            assert!(all.to_bytes() == *want.as_full().unwrap());
        }
        (action, result) => panic!("{action}: {result:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_of_callers() {
    let (near, far) = tokio::io::duplex(32 << 10);
    tokio::spawn(async move {
        let mut builder = Builder::new();
        builder
            // Twice ours: after an early answer h2's server counts the stream until its reset is
            // written, and would refuse a request that the client rightly sends before.
            .max_concurrent_streams(2 * LIMIT as u32)
            .initial_window_size(30_000)
            .max_concurrent_reset_streams(4096)
            .max_pending_accept_reset_streams(4096);
        let mut connection = builder.handshake::<_, Bytes>(far).await.unwrap();
        while let Some(exchange) = connection.accept().await {
            let (request, respond) = exchange.expect("the client keeps to the protocol");
            tokio::spawn(serve(request, respond));
        }
    });
    let settings = Http2Settings {
        max_streams: LIMIT,
        initial_stream_window: 30_000,
        initial_connection_window: 100_000,
        ..Http2Settings::default()
    };
    let changed = Arc::new(Notify::new());
    let (client, driver) = handshake(near, &settings, executor(), changed)
        .await
        .unwrap();
    let driver = tokio::spawn(driver);
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let client = client.clone();
        callers.spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed.wrapping_add(caller));
            for _ in 0..CALLS {
                call(&client, &mut random).await;
            }
        });
    }
    while let Some(result) = super::soon(callers.join_next()).await {
        result.unwrap();
    }
    until(|| client.in_flight() == 0).await;
    assert_eq!(client.available(), LIMIT);
    drop(client);
    super::soon(driver).await.unwrap();
}

/// Whatever frames come, calls and bodies end with the connection and nothing stays behind.
#[tokio::test]
async fn nonsense_leaves_nothing_behind() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..300 {
        let mut peer = RawPeer::start(&Http2Settings::default()).await;
        let (_sender, streaming) = channel_body();
        let mut calls = Vec::new();
        for body in [RequestBody::empty(), streaming, body(40_000, true)] {
            let permit = peer.client.try_reserve().unwrap();
            calls.push(tokio::spawn(async move {
                match permit.send(request(body)).await {
                    Ok(response) => drop(response.into_body().collect().await),
                    Err(failure) => drop(failure.to_string()),
                }
            }));
            peer.expect(HEADERS).await;
        }
        if random.bool() {
            peer.write(HEADERS, END_HEADERS, 3, STATUS_200).await;
        }
        for _ in 0..random.usize(1..12) {
            let len = *random.choice(&[0, 1, 4, 4, 6, 8, 8, 30]).unwrap();
            let payload: Vec<u8> = (0..len).map(|_| random.u8(..)).collect();
            let stream = *random.choice(&[0, 1, 3, 5, 7, 2]).unwrap();
            let (kind, flags) = (random.u8(0..11), random.u8(..) & random.u8(..));
            if !peer.try_write(kind, flags, stream, &payload).await {
                break;
            }
        }
        drop(peer.io);
        for call in calls {
            super::soon(call).await.unwrap();
        }
        super::soon(peer.driver).await.unwrap();
        until(|| peer.client.in_flight() == 0).await;
    }
}
