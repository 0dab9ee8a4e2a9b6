//! Answers of endpoints over HTTP/1, as a connection reads them.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use mesh_tower::{
    body::RequestBody,
    connect::{
        Executor,
        hop_by_hop::strip_response,
        http1::{Http1Connection, Http1Home, Http1Settings},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    task::JoinHandle,
};

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

/// What is asked, and when it is answered.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    body: Pieces,
    /// Before its body has been read.
    early: bool,
}

/// A request's body: pieces that take their time.
#[derive(Clone, Debug, Default)]
struct Pieces {
    left: VecDeque<Bytes>,
    /// Whether it says how long it is.
    told: bool,
    /// Whether it does not say of its last piece that it is that.
    silent: bool,
    /// Whether the next piece is there already.
    ready: bool,
}

/// However an answer is cut, it means the same; and what is taken for one, hyper takes for the same.
/// A connection that may be used again has carried the whole request and no more.
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
        let asked = Asked::draw(method, &mut draw);
        let answer = answer(&mut draw);
        let size = 1 + draw.below(answer.len().max(1));
        let (whole, cut, peer) = runtime.block_on(async {
            let whole = ours(&asked, &answer, answer.len().max(1)).await;
            let cut = ours(&asked, &answer, size).await;
            (whole, cut, hyper(&asked, &answer).await)
        });
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(whole, cut, "{asked:?}, by {size}: {text:?}");
        if whole.is_some() {
            assert_eq!(whole, peer, "{asked:?}: {text:?}");
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

/// A peer that answers so, in pieces, and closes. Gives what it was sent.
fn peer(asked: &Asked, answer: &[u8], size: usize) -> (DuplexStream, JoinHandle<Vec<u8>>) {
    let (near, mut far) = tokio::io::duplex(1 << 10);
    let pieces: Vec<_> = answer.chunks(size).map(Bytes::copy_from_slice).collect();
    let asked = asked.clone();
    let peer = tokio::spawn(async move {
        let mut sent = Vec::new();
        // The request, or its head, which comes at once.
        loop {
            let read = far.read_buf(&mut sent).await;
            if asked.early || asked.is_whole(&sent) || !read.is_ok_and(|n| n > 0) {
                break;
            }
        }
        for piece in pieces {
            if far.write_all(&piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        // What is left of it, unless the answer has ended it.
        while !asked.is_whole(&sent) && far.read_buf(&mut sent).await.is_ok_and(|n| n > 0) {}
        let _ = far.shutdown().await;
        // A pipe that is dropped fails its writer.
        let _ = far.read_to_end(&mut sent).await;
        sent
    });
    (near, peer)
}

async fn ours(asked: &Asked, answer: &[u8], size: usize) -> Option<Heard> {
    #[derive(Default)]
    struct Home(Mutex<Vec<Http1Connection>>);
    impl Http1Home for Home {
        fn give_back(self: Arc<Self>, connection: Http1Connection) {
            self.0.lock().unwrap().push(connection);
        }
    }
    let executor = Executor::tokio(tokio::runtime::Handle::current());
    let (io, peer) = peer(asked, answer, size);
    let connection = Http1Connection::new(Box::new(io), Http1Settings::default(), executor);
    let request = asked.request("http://a.test/x?y");
    let request = request.map(RequestBody::boxed);
    let home = Arc::new(Home::default());
    let heard = match connection.send(request, Some(home.clone())).await {
        Ok(response) => Heard::of(response).await,
        Err(_) => None,
    };
    let kept = std::mem::take(&mut *home.0.lock().unwrap());
    let is_kept = !kept.is_empty();
    drop(kept);
    let sent = peer.await.unwrap();
    if is_kept {
        assert!(heard.is_some(), "kept after an answer that was none");
        let text = String::from_utf8_lossy(&sent);
        assert!(asked.is_whole(&sent), "kept after {text:?}");
    }
    heard
}

async fn hyper(asked: &Asked, answer: &[u8]) -> Option<Heard> {
    let io = TokioIo::new(peer(asked, answer, answer.len().max(1)).0);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.ok()?;
    let driver = tokio::spawn(connection);
    let mut request = asked.request("/x?y");
    let host = http::HeaderValue::from_static("a.test");
    request.headers_mut().insert("host", host);
    let response = sender.send_request(request).await.ok()?;
    let heard = Heard::of(response).await;
    driver.abort();
    heard
}

impl Asked {
    fn draw(method: Method, draw: &mut Draw<'_>) -> Self {
        let mut body = Pieces::default();
        if method == Method::POST && draw.bool() {
            let pieces = 1 + draw.below(3);
            body.left = vec![Bytes::from_static(b"piece"); pieces].into();
            (body.told, body.silent) = (draw.bool(), draw.bool());
        }
        let early = draw.bool();
        Self {
            method,
            body,
            early,
        }
    }

    fn request(&self, uri: &str) -> Request<Pieces> {
        let request = Request::builder().method(&self.method).uri(uri);
        request.body(self.body.clone()).unwrap()
    }

    /// Whether this is all of it, and nothing else.
    fn is_whole(&self, sent: &[u8]) -> bool {
        let sent = String::from_utf8_lossy(sent);
        let Some((head, body)) = sent.split_once("\r\n\r\n") else {
            return false;
        };
        let chunked = head.contains("transfer-encoding: chunked");
        let mut expected: String = self.body.left.iter().map(|it| piece(it, chunked)).collect();
        if chunked {
            expected.push_str("0\r\n\r\n");
        }
        body == expected && chunked == (!self.body.told && !self.body.left.is_empty())
    }
}

fn piece(data: &Bytes, chunked: bool) -> String {
    let data = String::from_utf8_lossy(data);
    if chunked {
        format!("{:x}\r\n{data}\r\n", data.len())
    } else {
        data.into_owned()
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.ready = !self.ready;
        if self.ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.left.pop_front().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && !self.silent
    }

    fn size_hint(&self) -> SizeHint {
        if self.told {
            SizeHint::with_exact(self.left.iter().map(|it| it.len() as u64).sum())
        } else {
            SizeHint::default()
        }
    }
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
        // Ours tells a length once that was told more often.
        if let Some(length) = parts.headers.remove("content-length") {
            parts.headers.insert("content-length", length);
        }
        Some(Self {
            status: parts.status,
            version: parts.version,
            headers: parts.headers,
            trailers: body.trailers().cloned(),
            body: body.to_bytes(),
        })
    }
}
