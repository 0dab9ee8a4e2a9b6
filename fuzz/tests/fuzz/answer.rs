//! Answers of endpoints over HTTP/1, as a connection reads them.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use mesh_tower::{
    body::RequestBody,
    connect::{
        Executor,
        hop_by_hop::strip_response,
        http1::{Http1Connection, Http1Home, Http1Settings},
    },
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::{draw::Draw, engine::run};

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

/// However an answer is cut, it means the same; and what is taken for one, hyper takes for the same.
#[test]
fn http1() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let runtime = std::panic::AssertUnwindSafe(runtime);
    run("answer::http1", 6_000, move |input| {
        let mut draw = Draw::new(input);
        let method = draw
            .pick(&[Method::GET, Method::GET, Method::HEAD, Method::POST])
            .clone();
        let answer = answer(&mut draw);
        let size = 1 + draw.below(answer.len().max(1));
        let (whole, cut, peer) = runtime.block_on(async {
            let whole = ours(&method, &answer, answer.len().max(1)).await;
            let cut = ours(&method, &answer, size).await;
            (whole, cut, hyper(&method, &answer).await)
        });
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(whole, cut, "{method}, by {size}: {text:?}");
        if whole.is_some() {
            assert_eq!(whole, peer, "{method}: {text:?}");
        }
    });
}

/// An answer of parts that are most often right, cut off now and then.
fn answer(draw: &mut Draw<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    while draw.one_in(6) {
        out.extend_from_slice(b"HTTP/1.1 100 Continue\r\nx-early: 1\r\n\r\n");
    }
    let version = *draw.pick(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"]);
    let status = *draw.pick(&[
        "200", "200", "200", "204", "304", "404", "999", "099", "101",
    ]);
    out.extend_from_slice(format!("{version} {status}{}", draw.pick(&[" OK", " ", ""])).as_bytes());
    out.extend_from_slice(end(draw));
    for _ in 0..draw.below(5) {
        let line = *draw.pick(&[
            "content-length: 5",
            "Content-Length: 5",
            "content-length: 6",
            "content-length: 5, 5",
            "content-length: 05",
            "content-length: x",
            "transfer-encoding: chunked",
            "Transfer-Encoding: Chunked",
            "transfer-encoding: chunked",
            "transfer-encoding: gzip, chunked",
            "connection: close",
            "connection: keep-alive, x-hop",
            "x-hop: 1",
            "x-plain: a b",
            "x-plain:",
            "x bad: 1",
            " folded: 1",
            "no colon",
        ]);
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(end(draw));
    }
    out.extend_from_slice(end(draw));
    match draw.below(4) {
        0 => out.extend_from_slice(b"hello"),
        1 => out.extend_from_slice(draw.bytes(12)),
        _ => chunks(draw, &mut out),
    }
    if draw.one_in(8) {
        out.truncate(draw.below(out.len()));
    }
    out
}

fn chunks(draw: &mut Draw<'_>, out: &mut Vec<u8>) {
    for _ in 0..draw.below(3) {
        let chunk = *draw.pick(&[
            "5\r\nhello\r\n",
            "5\r\nhello\r\n",
            "00A;x=\"y\"\r\n0123456789\r\n",
            "1 \r\na\r\n",
            "2\r\na\r\n",
            "1\na\r\n",
            "+1\r\na\r\n",
            ";x\r\n",
            "fffffffffffffffff\r\n",
        ]);
        out.extend_from_slice(chunk.as_bytes());
    }
    let last = *draw.pick(&[
        "0\r\n\r\n",
        "0\r\n\r\n",
        "0\r\nx-sum: 9\r\n\r\n",
        "0\r\nbad\r\n\r\n",
        "",
    ]);
    out.extend_from_slice(last.as_bytes());
}

/// Most often what ends a line.
fn end(draw: &mut Draw<'_>) -> &'static [u8] {
    match draw.below(16) {
        0 => b"\n",
        1 => b"\r",
        _ => b"\r\n",
    }
}

/// A peer that answers so, in pieces, and closes.
fn peer(answer: &[u8], size: usize) -> DuplexStream {
    let (near, mut far) = tokio::io::duplex(1 << 10);
    let pieces: Vec<_> = answer.chunks(size).map(Bytes::copy_from_slice).collect();
    tokio::spawn(async move {
        let mut head = [0; 1 << 10];
        // The request, which comes at once.
        let _ = far.read(&mut head).await;
        for piece in pieces {
            if far.write_all(&piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        let _ = far.shutdown().await;
        // A pipe that is dropped fails its writer.
        let _ = far.read_to_end(&mut Vec::new()).await;
    });
    near
}

async fn ours(method: &Method, answer: &[u8], size: usize) -> Option<Heard> {
    struct Nowhere;
    impl Http1Home for Nowhere {
        fn give_back(self: Arc<Self>, connection: Http1Connection) {
            drop(connection);
        }
    }
    let executor = Executor::tokio(tokio::runtime::Handle::current());
    let io = Box::new(peer(answer, size));
    let connection = Http1Connection::new(io, Http1Settings::default(), executor);
    let request = Request::builder().method(method).uri("http://a.test/x?y");
    let request = request.body(RequestBody::empty()).unwrap();
    let response = connection
        .send(request, Some(Arc::new(Nowhere)))
        .await
        .ok()?;
    Heard::of(response).await
}

async fn hyper(method: &Method, answer: &[u8]) -> Option<Heard> {
    let io = TokioIo::new(peer(answer, answer.len().max(1)));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.ok()?;
    let driver = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri("/x?y")
        .header("host", "a.test");
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.ok()?;
    let heard = Heard::of(response).await;
    driver.abort();
    heard
}

impl Heard {
    /// None if the body is not as it should be. Without the headers that belong to one connection.
    async fn of<B>(response: Response<B>) -> Option<Self>
    where
        B: Body<Data = Bytes>,
    {
        let (mut parts, body) = response.into_parts();
        let body = body.collect().await.ok()?;
        strip_response(&mut parts.headers);
        Some(Self {
            status: parts.status,
            version: parts.version,
            headers: parts.headers,
            trailers: body.trailers().cloned(),
            body: body.to_bytes(),
        })
    }
}
