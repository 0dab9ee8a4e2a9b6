//! Peers and callers that mean harm.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::Uri;
use tokio::io::ReadBuf;
use tokio::task::coop;

use super::*;

#[tokio::test]
async fn a_target_is_a_path_and_a_host_has_no_user() {
    let odd_path = Uri::builder()
        .scheme("http")
        .authority("a.example")
        .path_and_query("http://other.example/")
        .build();
    let cases = [
        ("GET", "http://a.example?x=1".parse(), "/?x=1"),
        ("GET", "http://a.example".parse(), "/"),
        ("GET", "http://a.example/?".parse(), "/?"),
        ("OPTIONS", "*".parse(), "*"),
        ("CONNECT", "user@a.example:1".parse(), "a.example:1"),
    ];
    let cases = cases.map(|(method, uri, target)| (method, uri.unwrap(), target));
    // Some versions of the type take it.
    let odd_path = odd_path.map(|uri| ("GET", uri, "/http://other.example/"));
    for (method, uri, target) in cases.into_iter().chain(odd_path) {
        let mut peer = start();
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "h.example");
        let _sent = peer.send(request.body(RequestBody::empty()).unwrap());
        let head = peer.head().await;
        let line = format!("{method} {target} HTTP/1.1\r\n");
        assert!(head.starts_with(&line), "{line}: {head}");
        assert!(!head.contains('@'), "{head}");
    }
}

/// What a recipient might take for a header (RFC 9110 section 6.5.1), though the request announces it.
#[tokio::test]
async fn trailers_that_belong_into_the_head_are_not_sent() {
    const EARLY: [&str; 16] = [
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "host",
        "keep-alive",
        "max-forwards",
        "proxy-connection",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("9"));
    for name in EARLY {
        trailers.insert(name, HeaderValue::from_static("1"));
    }
    let frames: Vec<Result<_, BoxError>> = vec![Ok(Frame::trailers(trailers))];
    let body = RequestBody::boxed(StreamBody::new(futures_util::stream::iter(frames)));
    let request = Request::put("http://a.example/x")
        .header("trailer", EARLY.join(", "))
        .header("trailer", "X-Sum");
    let mut peer = start();
    let _sent = peer.send(request.body(body).unwrap());
    peer.head().await;
    assert_eq!(peer.head().await, "0\r\nx-sum: 9\r\n\r\n");
}

#[tokio::test]
async fn an_answer_without_a_body_has_no_chunks() {
    for (method, status, refused) in [
        ("GET", "204", true),
        ("HEAD", "204", true),
        ("GET", "304", false),
        ("HEAD", "200", false),
    ] {
        let mut peer = start();
        let request = Request::builder().method(method).uri("http://a.example/");
        let sent = peer.send(request.body(RequestBody::empty()).unwrap());
        peer.head().await;
        peer.reply(&format!(
            "HTTP/1.1 {status} x\r\ntransfer-encoding: chunked\r\n\r\n"
        ))
        .await;
        let answer = soon(sent).await.unwrap();
        assert_eq!(answer.is_err(), refused, "{method} {status}: {answer:?}");
        assert_eq!(peer.at_home(), usize::from(!refused), "{method} {status}");
    }
}

#[tokio::test]
async fn a_length_that_is_told_twice_goes_on_once() {
    let mut peer = start();
    let sent = peer.send(get("http://a.example/"));
    peer.head().await;
    peer.reply("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: 1\r\ncontent-length: 2\r\n\r\nok")
        .await;
    let response = soon(sent).await.unwrap().unwrap();
    let lengths = response.headers().get_all("content-length");
    assert_eq!(lengths.iter().count(), 1);
}

/// Small parts that somebody keeps do not keep large buffers.
#[tokio::test]
async fn parts_that_drip_in_share_their_memory() {
    const BULK: usize = 1 << 20;
    let mut peer = start();
    let sent = peer.send(get("http://a.example/"));
    peer.head().await;
    peer.reply("HTTP/1.1 200 OK\r\n\r\n").await;
    let mut body = soon(sent).await.unwrap().unwrap().into_body();
    let mut io = peer.io;
    let bulk = tokio::spawn(async move {
        io.write_all(&vec![b'x'; BULK]).await.unwrap();
        io
    });
    let (mut read, mut large) = (0, Vec::new());
    while read < BULK {
        let frame = soon(body.frame()).await.unwrap().unwrap();
        let data = frame.into_data().unwrap();
        read += data.len();
        large.push(data);
    }
    let mut io = soon(bulk).await.unwrap();
    let mut kept = Vec::new();
    for _ in 0..1000 {
        io.write_all(b"y").await.unwrap();
        let frame = soon(body.frame()).await.unwrap().unwrap();
        kept.push(frame.into_data().unwrap());
    }
    let apart = kept
        .windows(2)
        .filter(|two| two[0].as_ptr().addr() + 1 != two[1].as_ptr().addr());
    let apart = apart.count();
    assert!(apart < 20, "{apart} pieces");
}

/// Gives the same for ever, and takes everything.
struct Flood {
    first: &'static [u8],
    again: &'static [u8],
    reads: usize,
    stop: Arc<AtomicBool>,
}

/// So often, unless it is stopped.
const READS: usize = 20_000;

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Nothing, of one that nobody has asked for anything.
        if self.reads == 0 || self.reads > READS || self.stop.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        self.reads += 1;
        let again = self.again;
        buffer.put_slice(std::mem::replace(&mut self.first, again));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.reads = self.reads.max(1);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn an_endless_answer_lets_others_run() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".as_slice();
    let early = b"HTTP/1.1 100 Continue\r\n\r\n".as_slice();
    let chunks = b"1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n".as_slice();
    for (first, again) in [(early, early), (head, chunks)] {
        let stop = Arc::new(AtomicBool::new(false));
        let flood = Flood {
            first,
            again,
            reads: 0,
            stop: stop.clone(),
        };
        let executor = Executor::tokio(tokio::runtime::Handle::current());
        let connection = Http1Connection::new(Box::new(flood), Http1Settings::default(), executor);
        let frames = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = frames.clone();
        let reading = tokio::spawn(async move {
            let response = connection.send(get("http://a.example/"), None).await;
            let mut body = response.unwrap().into_body();
            while let Some(Ok(_)) = body.frame().await {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        tokio::task::yield_now().await;
        stop.store(true, Ordering::Relaxed);
        assert!(frames.load(Ordering::Relaxed) < 1000);
        assert!(!reading.is_finished());
        reading.abort();
        let _ = soon(reading).await;
    }
}

/// What has no budget left still sees that a connection has ended.
#[tokio::test]
async fn a_close_is_seen_by_a_task_that_has_spent_its_budget() {
    let mut peer = start();
    // It still reads, or writing would tell.
    peer.io.shutdown().await.unwrap();
    let connection = peer.home.0.lock().unwrap().pop().unwrap();
    let sent = tokio::spawn(async move {
        while coop::has_budget_remaining() {
            coop::consume_budget().await;
        }
        connection.send(get("http://a.example/"), None).await
    });
    let failure = soon(sent).await.unwrap().unwrap_err();
    assert!(matches!(failure.kind, SendFailureKind::Unsent));
}

/// A home that was let go counts one connection less: that one must be closed by then.
#[tokio::test]
async fn a_connection_is_closed_before_its_home_is_let_go() {
    struct Last(Mutex<DuplexStream>, Arc<AtomicBool>);
    impl Http1Home for Last {
        fn give_back(self: Arc<Self>, _: Http1Connection) {}
    }
    impl Drop for Last {
        fn drop(&mut self) {
            let (mut cx, mut rest) = (Context::from_waker(std::task::Waker::noop()), [0; 1 << 10]);
            let (io, mut rest) = (self.0.get_mut().unwrap(), ReadBuf::new(&mut rest));
            // The request, and then the end.
            while Pin::new(&mut *io).poll_read(&mut cx, &mut rest).is_ready() {
                if rest.filled().is_empty() {
                    self.1.store(true, Ordering::Relaxed);
                    return;
                }
                rest.clear();
            }
        }
    }
    for reply in [Some("NONSENSE\r\n\r\n"), None] {
        let closed = Arc::new(AtomicBool::new(false));
        let (near, mut far) = tokio::io::duplex(64 << 10);
        if let Some(reply) = reply {
            far.write_all(reply.as_bytes()).await.unwrap();
        }
        let executor = Executor::tokio(tokio::runtime::Handle::current());
        let connection = Http1Connection::new(Box::new(near), Http1Settings::default(), executor);
        let home = Arc::new(Last(Mutex::new(far), closed.clone()));
        let mut sent = Box::pin(connection.send_open(get("http://a.example/"), Some(home)));
        let polled = sent
            .as_mut()
            .poll(&mut Context::from_waker(std::task::Waker::noop()));
        assert_eq!(polled.is_ready(), reply.is_some());
        drop(sent);
        assert!(closed.load(Ordering::Relaxed), "{reply:?}");
    }
}
