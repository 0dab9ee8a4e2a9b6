//! Answers that overtake their requests.

use super::*;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// A POST under way whose answer has begun.
async fn overtaken(
    reply: &str,
) -> (
    mpsc::Sender<Result<Frame<Bytes>, BoxError>>,
    ResponseBody,
    Peer,
) {
    let mut peer = start();
    let (sender, body) = channel_body();
    let sent = peer.send(Request::post("http://a.example/").body(body).unwrap());
    peer.head().await;
    peer.reply(reply).await;
    let response = soon(sent).await.unwrap().unwrap();
    (sender, response.into_body(), peer)
}

fn data(text: &'static str) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

async fn next(body: &mut ResponseBody) -> Bytes {
    let frame = soon(body.frame()).await.unwrap().unwrap();
    frame.into_data().unwrap()
}

#[tokio::test]
async fn both_directions_go_on_without_each_other() {
    let (sender, mut body, mut peer) = overtaken(CHUNKED).await;
    // The request, while nobody reads the response.
    for _ in 0..20 {
        sender.send(data("up")).await.unwrap();
        assert_eq!(peer.read_to("up\r\n").await, "2\r\nup\r\n");
    }
    // The response, while nobody writes the request.
    for _ in 0..20 {
        peer.reply("4\r\ndown\r\n").await;
        assert_eq!(next(&mut body).await, "down");
    }
    drop(sender);
    assert_eq!(peer.head().await, "0\r\n\r\n");
    assert_eq!(peer.at_home(), 0);
    peer.reply("0\r\nx-end: 1\r\n\r\n").await;
    let trailers = soon(body.frame()).await.unwrap().unwrap();
    assert_eq!(trailers.into_trailers().unwrap()["x-end"], "1");
    assert!(soon(body.frame()).await.is_none());
    assert!(body.is_end_stream());
    assert_eq!(peer.at_home(), 1);
}

#[tokio::test]
async fn a_response_nobody_reads_is_not_heaped_up() {
    let (_sender, body, peer) = overtaken(CHUNKED).await;
    let mut io = peer.io;
    let written = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = written.clone();
    let writing = tokio::spawn(async move {
        while io.write_all(b"4\r\ndown\r\n").await.is_ok() {
            count.fetch_add(9, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let mut before = usize::MAX;
    // Until nothing moves any more: the pipe is full, and so is what is read ahead.
    loop {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let now = written.load(std::sync::atomic::Ordering::Relaxed);
        if now == before {
            break;
        }
        before = now;
    }
    assert!(before < 256 << 10, "{before} bytes");
    drop(body);
    soon(writing).await.unwrap();
}

#[tokio::test]
async fn leaving_the_response_ends_the_request() {
    let (sender, body, mut peer) = overtaken(CHUNKED).await;
    drop(body);
    peer.rest().await;
    soon(sender.closed()).await;
    assert_eq!(peer.at_home(), 0);
}

#[tokio::test]
async fn the_end_of_the_response_ends_the_request() {
    let (sender, body, mut peer) = overtaken(CHUNKED).await;
    peer.reply("2\r\nno\r\n0\r\n\r\n").await;
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), "no");
    peer.rest().await;
    soon(sender.closed()).await;
    assert_eq!(peer.at_home(), 0);
}

#[tokio::test]
async fn a_body_that_fails_late_is_the_callers() {
    let (sender, mut body, mut peer) = overtaken(CHUNKED).await;
    peer.reply("4\r\nsome\r\n").await;
    assert_eq!(next(&mut body).await, "some");
    sender.send(Err("no more".into())).await.unwrap();
    let error = soon(body.frame()).await.unwrap().unwrap_err();
    assert!(
        matches!(error.kind(), SendFailureKind::RequestBody(e) if e.to_string() == "no more"),
        "{error:?}"
    );
    assert!(soon(body.frame()).await.is_none());
    peer.rest().await;
    assert_eq!(peer.at_home(), 0);
}

#[tokio::test]
async fn a_response_cut_off_is_lost() {
    let (_sender, mut body, mut peer) =
        overtaken("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    assert_eq!(body.size_hint().exact(), Some(10));
    assert_eq!(next(&mut body).await, "half");
    assert_eq!(body.size_hint().exact(), Some(6));
    peer.io.shutdown().await.unwrap();
    let error = soon(body.frame()).await.unwrap().unwrap_err();
    assert!(
        matches!(error.kind(), SendFailureKind::ConnectionLost(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_answer_is_read_though_its_peer_reads_no_more() {
    // Over a socket: a pipe that nobody reads is full, not closed.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = tokio::net::TcpStream::connect(listener.local_addr().unwrap());
    let (near, far) = tokio::join!(near, listener.accept());
    let mut peer = over(near.unwrap(), far.unwrap().0, Http1Settings::default());
    let (sender, body) = channel_body();
    let sent = peer.send(Request::post("http://a.example/").body(body).unwrap());
    peer.head().await;
    peer.reply("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        .await;
    let response = soon(sent).await.unwrap().unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(text(response).await, "no");
    soon(sender.closed()).await;
    assert_eq!(peer.at_home(), 0);
}

/// Its task goes with the executor.
#[tokio::test]
async fn without_an_executor_the_response_fails() {
    let (near, far) = tokio::io::duplex(64 << 10);
    let connection = Http1Connection::new(
        Box::new(near),
        Http1Settings::default(),
        Executor::new(drop),
    );
    let mut peer = Peer {
        home: Arc::default(),
        io: far,
    };
    let (_sender, body) = channel_body();
    let request = Request::post("http://a.example/").body(body).unwrap();
    let sent = tokio::spawn(connection.send(request, None));
    peer.head().await;
    peer.reply(CHUNKED).await;
    let mut body = soon(sent).await.unwrap().unwrap().into_body();
    let error = soon(body.frame()).await.unwrap().unwrap_err();
    assert!(
        matches!(error.kind(), SendFailureKind::ConnectionLost(_)),
        "{error:?}"
    );
    assert!(soon(body.frame()).await.is_none());
}
