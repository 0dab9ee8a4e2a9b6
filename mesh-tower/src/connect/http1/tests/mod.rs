//! A scripted peer on a duplex pipe or a socket: what is written, what is read, what is reused.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use mesh_core::bounds::Bound;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

mod decoder;
mod hostile;
mod odd;
mod relay;

use super::{Http1Connection, Http1Home, Http1Settings};
use crate::body::{BoxError, RequestBody, ResponseBody};
use crate::connect::{Executor, SendFailure, SendFailureKind};

type Sent = JoinHandle<Result<Response<ResponseBody>, SendFailure>>;

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("the test hangs")
}

#[derive(Default)]
struct Stack(Mutex<Vec<Http1Connection>>);

impl Http1Home for Stack {
    fn give_back(self: Arc<Self>, connection: Http1Connection) {
        self.0.lock().unwrap().push(connection);
    }
}

struct Peer<IO = DuplexStream> {
    home: Arc<Stack>,
    io: IO,
}

fn start() -> Peer {
    start_with(Http1Settings::default())
}

fn start_with(settings: Http1Settings) -> Peer {
    let (near, far) = tokio::io::duplex(64 << 10);
    over(near, far, settings)
}

fn over<IO>(near: IO, far: IO, settings: Http1Settings) -> Peer<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let executor = Executor::tokio(tokio::runtime::Handle::current());
    let home = Arc::new(Stack::default());
    home.clone()
        .give_back(Http1Connection::new(Box::new(near), settings, executor));
    Peer { home, io: far }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Peer<IO> {
    /// Takes the connection, which must be at home.
    fn send(&self, request: Request<RequestBody>) -> Sent {
        let connection = self.home.0.lock().unwrap().pop().unwrap();
        tokio::spawn(connection.send(request, Some(self.home.clone())))
    }

    fn at_home(&self) -> usize {
        self.home.0.lock().unwrap().len()
    }

    /// Reads until the text ends with `end`.
    async fn read_to(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let read = soon(self.io.read_u8()).await;
            text.push(read.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&text))));
        }
        String::from_utf8(text).unwrap()
    }

    async fn head(&mut self) -> String {
        self.read_to("\r\n\r\n").await
    }

    async fn reply(&mut self, text: &str) {
        self.io.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads to the end of the connection.
    async fn rest(&mut self) -> String {
        let mut text = Vec::new();
        soon(self.io.read_to_end(&mut text)).await.unwrap();
        String::from_utf8(text).unwrap()
    }
}

fn get(uri: &str) -> Request<RequestBody> {
    Request::get(uri).body(RequestBody::empty()).unwrap()
}

async fn text(response: Response<ResponseBody>) -> Bytes {
    soon(response.into_body().collect())
        .await
        .unwrap()
        .to_bytes()
}

#[tokio::test]
async fn connections_are_kept_alive_over_tcp() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = tokio::net::TcpStream::connect(listener.local_addr().unwrap());
    let (near, far) = tokio::join!(near, listener.accept());
    let mut peer = over(near.unwrap(), far.unwrap().0, Http1Settings::default());
    for n in 0..3 {
        let request = Request::post("http://user@shop.example:8080/cart/item?id=7")
            .header("x-first", "1")
            .header("te", "trailers, gzip")
            .header("connection", "x-hop")
            .header("x-hop", "gone")
            .header("host", "other.example")
            .body(RequestBody::full(Bytes::from_static(b"body")))
            .unwrap();
        let sent = peer.send(request);
        let head = peer.head().await;
        assert!(
            head.starts_with("POST /cart/item?id=7 HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(head.contains("\r\nhost: shop.example:8080\r\n"), "{head}");
        assert!(head.contains("\r\nx-first: 1\r\n"), "{head}");
        assert!(head.contains("\r\nte: trailers\r\n"), "{head}");
        assert!(head.contains("\r\ncontent-length: 4\r\n"), "{head}");
        assert!(!head.contains("x-hop") && !head.contains("other"), "{head}");
        peer.read_to("body").await;
        peer.reply("HTTP/1.1 100 Continue\r\n\r\n").await;
        peer.reply("HTTP/1.1 200 OK\r\nkeep-alive: timeout=5\r\ncontent-length: 5\r\n\r\nhel")
            .await;
        let response = soon(sent).await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key("keep-alive"));
        let mut body = response.into_body();
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(
            soon(body.frame())
                .await
                .unwrap()
                .unwrap()
                .into_data()
                .unwrap(),
            "hel"
        );
        assert_eq!(peer.at_home(), 0, "not before the end of the body");
        peer.reply("lo").await;
        assert_eq!(
            soon(body.frame())
                .await
                .unwrap()
                .unwrap()
                .into_data()
                .unwrap(),
            "lo"
        );
        assert!(body.is_end_stream());
        assert_eq!(peer.at_home(), 1, "round {n}");
    }
    let mut connection = peer.home.0.lock().unwrap().pop().unwrap();
    assert!(!connection.is_closed());
    drop(connection);
    peer.rest().await;
}

/// Reads requests off `io` and answers each with its body's length.
async fn count_bodies(mut io: DuplexStream) {
    let mut buffer = Vec::new();
    while io.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {
        let text = String::from_utf8(buffer.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let complete = if head.contains("transfer-encoding: chunked") {
            body.ends_with("0\r\n\r\n")
        } else {
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "));
            body.len() == length.map_or(0, |l| l.parse().unwrap())
        };
        if complete {
            let len = body.len();
            let reply = format!("HTTP/1.1 200 OK\r\nx-len: {len}\r\ncontent-length: 2\r\n\r\nok");
            io.write_all(reply.as_bytes()).await.unwrap();
            buffer.clear();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_connection_carries_many_requests() {
    let Peer { home, io } = start();
    let served = tokio::spawn(count_bodies(io));
    for n in 0..400 {
        let (body, wire) = match n % 4 {
            0 => (RequestBody::empty(), 0),
            1 => (RequestBody::full(Bytes::from_static(b"12345")), 5),
            // Known length, but a stream to us.
            2 => (RequestBody::boxed(Full::from("12345")), 5),
            _ => {
                let frames: Vec<Result<_, BoxError>> =
                    vec![Ok(Frame::data(Bytes::from_static(b"12345")))];
                let stream = StreamBody::new(futures_util::stream::iter(frames));
                (RequestBody::boxed(stream), "5\r\n12345\r\n0\r\n\r\n".len())
            }
        };
        let connection = home.0.lock().unwrap().pop();
        let connection = connection.unwrap_or_else(|| panic!("lost before request {n}"));
        let request = Request::post("http://a.example/").body(body).unwrap();
        let response = soon(connection.send(request, Some(home.clone())))
            .await
            .unwrap();
        assert_eq!(response.headers()["x-len"], wire.to_string(), "request {n}");
        assert_eq!(text(response).await, "ok");
    }
    home.0.lock().unwrap().clear();
    soon(served).await.unwrap();
}

#[tokio::test]
async fn methods_with_a_body_say_that_there_is_none() {
    for (method, told) in [
        ("GET", false),
        ("DELETE", false),
        ("POST", true),
        ("OPTIONS", true),
    ] {
        let mut peer = start();
        let mut request = get("http://shop.example/");
        *request.method_mut() = method.parse().unwrap();
        let _sent = peer.send(request);
        let head = peer.head().await;
        assert_eq!(head.contains("content-length: 0\r\n"), told, "{head}");
    }
}

#[tokio::test]
async fn a_body_that_few_expect_is_sent_all_the_same() {
    for method in ["GET", "HEAD", "DELETE"] {
        let mut peer = start();
        let frames: Vec<Result<_, BoxError>> = vec![Ok(Frame::data(Bytes::from_static(b"abc")))];
        let body = RequestBody::boxed(StreamBody::new(futures_util::stream::iter(frames)));
        let request = Request::builder().method(method).uri("http://a.example/x");
        let _sent = peer.send(request.body(body).unwrap());
        let head = peer.head().await;
        assert!(
            head.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{head}"
        );
        assert_eq!(peer.head().await, "3\r\nabc\r\n0\r\n\r\n");
    }
}

#[tokio::test]
async fn chunked_both_ways_with_trailers() {
    let mut peer = start();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("9"));
    let frames: Vec<Result<_, BoxError>> = vec![
        Ok(Frame::data(Bytes::from_static(b"abc"))),
        Ok(Frame::data(Bytes::from_static(b"de"))),
        Ok(Frame::trailers(trailers)),
    ];
    let body = RequestBody::boxed(StreamBody::new(futures_util::stream::iter(frames)));
    let request = Request::put("http://a.example/x")
        .header("trailer", "x-sum")
        .body(body)
        .unwrap();
    let sent = peer.send(request);
    let head = peer.head().await;
    assert!(
        head.contains("\r\ntransfer-encoding: chunked\r\n"),
        "{head}"
    );
    assert!(!head.contains("content-length"), "{head}");
    let body = peer.head().await;
    assert_eq!(body, "3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 9\r\n\r\n");
    peer.reply(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nwxyz\r\n0\r\nx-end: 1\r\n\r\n",
    )
    .await;
    let response = soon(sent).await.unwrap().unwrap();
    assert!(!response.headers().contains_key("transfer-encoding"));
    let all = soon(response.into_body().collect()).await.unwrap();
    assert_eq!(all.trailers().unwrap()["x-end"], "1");
    assert_eq!(all.to_bytes(), "wxyz");
    assert_eq!(peer.at_home(), 1);
}

#[tokio::test]
async fn responses_without_body_end_at_once() {
    for (method, reply) in [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 500\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ] {
        let mut peer = start();
        for _ in 0..2 {
            let request = Request::builder()
                .method(method)
                .uri("http://a.example")
                .body(RequestBody::empty())
                .unwrap();
            let sent = peer.send(request);
            let head = peer.head().await;
            assert!(
                head.starts_with(&format!("{method} / HTTP/1.1\r\n")),
                "{head}"
            );
            assert!(!head.contains("content-length"), "{head}");
            peer.reply(reply).await;
            let response = soon(sent).await.unwrap().unwrap();
            assert!(response.body().is_end_stream(), "{reply}");
            assert_eq!(peer.at_home(), 1, "{reply}");
            assert!(text(response).await.is_empty());
        }
    }
}

#[tokio::test]
async fn connections_that_will_close_are_not_kept() {
    for reply in [
        "HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\n\r\nok",
    ] {
        let mut peer = start();
        let sent = peer.send(get("http://a.example/"));
        peer.head().await;
        peer.reply(reply).await;
        peer.io.shutdown().await.unwrap();
        let response = soon(sent).await.unwrap().unwrap();
        assert!(!response.headers().contains_key("connection"));
        assert_eq!(text(response).await, "ok", "{reply}");
        peer.rest().await;
        assert_eq!(peer.at_home(), 0, "{reply}");
    }
}

#[tokio::test]
async fn an_idle_connection_that_closed_gives_the_request_back() {
    let peer = start();
    drop(peer.io);
    let mut connection = peer.home.0.lock().unwrap().pop().unwrap();
    assert!(connection.is_closed());
    let request = Request::post("http://a.example:1/path")
        .version(Version::HTTP_11)
        .body(RequestBody::full(Bytes::from_static(b"kept")))
        .unwrap();
    let failure = soon(connection.send(request, None)).await.unwrap_err();
    assert!(matches!(failure.kind, SendFailureKind::Unsent));
    let request = failure.request.unwrap();
    assert_eq!(request.uri(), "http://a.example:1/path");
    assert_eq!(request.body().as_full().unwrap(), "kept");
}

/// The peer closes between the last look at the connection and the request.
#[tokio::test]
async fn a_race_with_the_close_gives_the_request_back() {
    let mut peer = start();
    // One exchange, so that the connection is known to be ready.
    let sent = peer.send(get("http://a.example/"));
    peer.head().await;
    peer.reply("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .await;
    soon(sent).await.unwrap().unwrap();
    let mut connection = peer.home.0.lock().unwrap().pop().unwrap();
    assert!(!connection.is_closed());
    drop(peer.io);
    let sent = connection.send(get("http://a.example/again"), None);
    let failure = soon(sent).await.unwrap_err();
    assert!(
        matches!(failure.kind, SendFailureKind::Unsent),
        "{failure:?}"
    );
    assert_eq!(failure.request.unwrap().uri(), "http://a.example/again");
}

#[tokio::test]
async fn a_connection_lost_under_way_is_told_apart() {
    // Before the response.
    let mut peer = start();
    let sent = peer.send(get("http://a.example/"));
    peer.head().await;
    drop(peer.io);
    let failure = soon(sent).await.unwrap().unwrap_err();
    assert!(
        matches!(failure.kind, SendFailureKind::ConnectionLost(_)),
        "{failure:?}"
    );
    assert!(failure.request.is_none());

    // Within it.
    let mut peer = start();
    let sent = peer.send(get("http://a.example/"));
    peer.head().await;
    peer.reply("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        .await;
    let mut body = soon(sent).await.unwrap().unwrap().into_body();
    assert_eq!(
        soon(body.frame())
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap(),
        "half"
    );
    drop(peer.io);
    let error = soon(body.frame()).await.unwrap().unwrap_err();
    assert!(
        matches!(error.kind(), SendFailureKind::ConnectionLost(_)),
        "{error:?}"
    );
    assert!(peer.home.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn bad_responses_are_protocol_errors() {
    let many: String = (0..101).map(|n| format!("x-{n}: 1\r\n")).collect();
    let counted = Bound::AnswerHead.times();
    for (reply, too_large) in [
        ("NONSENSE\r\n\r\n".to_owned(), false),
        (
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".into(),
            false,
        ),
        (
            format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(9000)),
            true,
        ),
        (format!("HTTP/1.1 200 OK\r\n{many}\r\n"), true),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
                .into(),
            false,
        ),
        (
            "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n".into(),
            false,
        ),
    ] {
        let settings = Http1Settings {
            max_head: 8 << 10,
            ..Http1Settings::default()
        };
        let mut peer = start_with(settings);
        let sent = peer.send(get("http://a.example/"));
        peer.head().await;
        peer.reply(&reply).await;
        let failure = soon(sent).await.unwrap().unwrap_err();
        match failure.kind {
            SendFailureKind::TooLarge => assert!(too_large),
            SendFailureKind::Protocol(_) => assert!(!too_large),
            other => panic!("{other:?}"),
        }
        assert_eq!(peer.at_home(), 0);
    }
    assert!(Bound::AnswerHead.times() >= counted + 2);
}

#[tokio::test]
async fn dropping_a_call_or_its_body_closes_the_connection() {
    let mut peer = start();
    let sent = peer.send(get("http://a.example/"));
    peer.head().await;
    sent.abort();
    peer.rest().await;
    assert!(peer.home.0.lock().unwrap().is_empty());

    let mut peer = start();
    let sent = peer.send(get("http://a.example/"));
    peer.head().await;
    peer.reply("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        .await;
    drop(soon(sent).await.unwrap().unwrap());
    peer.rest().await;
    assert!(peer.home.0.lock().unwrap().is_empty());

    // With an upload that waits for its caller.
    for answered in [false, true] {
        let mut peer = start();
        let (sender, body) = channel_body();
        let sent = peer.send(Request::post("http://a.example/").body(body).unwrap());
        peer.head().await;
        if answered {
            peer.reply("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
                .await;
            drop(soon(sent).await.unwrap().unwrap());
        } else {
            sent.abort();
        }
        peer.rest().await;
        assert!(sender.is_closed());
    }
}

fn channel_body() -> (mpsc::Sender<Result<Frame<Bytes>, BoxError>>, RequestBody) {
    let (sender, receiver) = mpsc::channel(1);
    let frames = futures_util::stream::unfold(receiver, async |mut receiver| {
        let frame = receiver.recv().await?;
        Some((frame, receiver))
    });
    (
        sender,
        RequestBody::boxed(StreamBody::new(Box::pin(frames))),
    )
}

#[tokio::test]
async fn a_failing_request_body_is_the_callers() {
    let mut peer = start();
    let (sender, body) = channel_body();
    let sent = peer.send(Request::post("http://a.example/").body(body).unwrap());
    peer.head().await;
    sender.send(Err("no more".into())).await.unwrap();
    let failure = soon(sent).await.unwrap().unwrap_err();
    assert!(
        matches!(&failure.kind, SendFailureKind::RequestBody(e) if e.to_string() == "no more"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn an_unfinished_upload_does_not_go_home() {
    let mut peer = start();
    let (_sender, body) = channel_body();
    let sent = peer.send(Request::post("http://a.example/").body(body).unwrap());
    peer.head().await;
    peer.reply("HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno")
        .await;
    let response = soon(sent).await.unwrap().unwrap();
    assert_eq!(text(response).await, "no");
    assert_eq!(peer.at_home(), 0);
    peer.rest().await;
}

#[tokio::test]
async fn requests_need_a_host() {
    let peer = start();
    let failure = soon(peer.send(get("/path"))).await.unwrap().unwrap_err();
    assert!(matches!(&failure.kind, SendFailureKind::Protocol(t) if t.contains("host")));
    assert_eq!(failure.request.unwrap().uri(), "/path");

    let mut peer = start();
    let mut request = get("/path");
    request
        .headers_mut()
        .insert("host", HeaderValue::from_static("b.example"));
    let _sent = peer.send(request);
    let head = peer.head().await;
    assert!(
        head.starts_with("GET /path HTTP/1.1\r\nhost: b.example\r\n"),
        "{head}"
    );

    let mut peer = start();
    let mut request = get("b.example:443");
    *request.method_mut() = http::Method::CONNECT;
    let _sent = peer.send(request);
    let head = peer.head().await;
    assert!(
        head.starts_with("CONNECT b.example:443 HTTP/1.1\r\nhost: b.example:443\r\n"),
        "{head}"
    );
}
