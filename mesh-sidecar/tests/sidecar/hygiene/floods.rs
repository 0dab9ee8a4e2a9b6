//! Frames that cost the one who reads them more than the one who sends them.

use mesh_testkit::EchoServer;

use crate::support::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frames, HEADERS, PING,
    RST_STREAM, SETTINGS, Sidecar, block, frame, get, head, to,
};

/// How much more memory a flood may leave behind.
const ROOM: u64 = 24 << 20;

/// Says each of `frames`, as long as the other side takes them and while its own are read; the error
/// with which it ends the connection, if it does.
async fn flood(sidecar: &Sidecar, frames: impl Iterator<Item = Vec<u8>> + Send) -> Option<u32> {
    let Frames {
        mut reads,
        mut writes,
    } = Frames::connect(sidecar.at).await;
    let reading = tokio::spawn(async move { reads.goaway().await });
    let mut batch = Vec::new();
    for frame in frames {
        batch.extend(frame);
        if batch.len() > 16 << 10 {
            if tokio::io::AsyncWriteExt::write_all(&mut writes, &batch)
                .await
                .is_err()
            {
                break;
            }
            batch.clear();
        }
    }
    drop(writes);
    reading.await.unwrap()
}

/// Has a flood met by a sidecar that serves others meanwhile. With `error`, it has to end the
/// connection and count that.
async fn met(error: Option<u32>, frames: impl Iterator<Item = Vec<u8>> + Send) {
    let server = EchoServer::http1().start();
    let plane = to(server.socket()).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
    let before = sidecar.memory();
    let others = async {
        for _ in 0..50 {
            assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
        }
    };
    let (ended, ()) = tokio::join!(flood(&sidecar, frames), others);
    if error.is_some() {
        assert_eq!(ended, error);
        let bound = ["mesh_bound=\"client_frames\""];
        sidecar
            .counted("mesh_bound_exceeded_total", &bound, 1.0)
            .await;
    }
    server
        .wait_for("its requests", |it| it.in_flight() == 0)
        .await;
    assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
    let grown = sidecar.memory().saturating_sub(before);
    assert!(grown < ROOM, "{grown}");
}

fn odd(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|n| 2 * n + 1)
}

#[tokio::test]
async fn streams_that_are_reset_at_once() {
    let fields = block(&head("GET", "/a"));
    let frames = odd(50_000).map(move |stream| {
        let mut bytes = frame(HEADERS, END_HEADERS | END_STREAM, stream, &fields);
        bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        bytes
    });
    met(Some(ENHANCE_YOUR_CALM), frames).await;
}

#[tokio::test]
async fn data_without_data() {
    let fields = block(&head("POST", "/a"));
    let begin = std::iter::once(frame(HEADERS, END_HEADERS, 1, &fields));
    let frames = begin.chain((0..200_000).map(|_| frame(DATA, 0, 1, &[])));
    met(Some(ENHANCE_YOUR_CALM), frames).await;
}

#[tokio::test]
async fn headers_without_end() {
    let fields = block(&head("GET", "/a"));
    let begin = std::iter::once(frame(HEADERS, END_STREAM, 1, &fields));
    let more = block(&[("x", "y")]);
    let frames = begin.chain((0..200_000).map(move |_| frame(CONTINUATION, 0, 1, &more)));
    met(Some(ENHANCE_YOUR_CALM), frames).await;
}

#[tokio::test]
async fn pings() {
    met(None, (0..200_000).map(|_| frame(PING, 0, 0, &[0; 8]))).await;
}

#[tokio::test]
async fn settings() {
    met(None, (0..200_000).map(|_| frame(SETTINGS, 0, 0, &[]))).await;
}

#[tokio::test]
async fn pings_whose_answers_are_not_read() {
    let server = EchoServer::http1().start();
    let plane = to(server.socket()).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
    let before = sidecar.memory();
    let Frames { reads, mut writes } = Frames::connect(sidecar.at).await;
    let (said, mut heard) = tokio::sync::watch::channel(0_usize);
    let flood = tokio::spawn(async move {
        let pings = frame(PING, 0, 0, &[0; 8]).repeat(1_000);
        // As long as they are taken: not for ever, since nobody reads what is said to them.
        while tokio::io::AsyncWriteExt::write_all(&mut writes, &pings)
            .await
            .is_ok()
        {
            said.send_modify(|it| *it += pings.len());
        }
    });
    heard.wait_for(|it| *it > 1 << 20).await.unwrap();
    for _ in 0..200 {
        assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
    }
    let grown = sidecar.memory().saturating_sub(before);
    assert!(grown < ROOM, "{grown}");
    flood.abort();
    drop(reads);
}
