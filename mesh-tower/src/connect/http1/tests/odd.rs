//! Answers that few peers give.

use super::*;

/// Sends a GET and gives what comes of this answer, and of the connection.
async fn answered(reply: &str) -> (Result<Response<ResponseBody>, SendFailure>, Peer) {
    let mut peer = start();
    let sent = peer.send(get("http://a.example/deep/path?q=1"));
    assert!(
        peer.head()
            .await
            .starts_with("GET /deep/path?q=1 HTTP/1.1\r\n")
    );
    peer.reply(reply).await;
    peer.io.shutdown().await.unwrap();
    (soon(sent).await.unwrap(), peer)
}

#[tokio::test]
async fn heads_are_the_same_however_they_are_cut() {
    let reply = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\n\n\
                 HTTP/1.1 299 Fine\r\nX-Case:  padded \r\nx-case:\r\ncontent-length: 2\r\n\r\nok";
    for size in 1..reply.len() {
        let mut peer = start();
        let sent = peer.send(get("http://a.example/"));
        peer.head().await;
        for piece in reply.as_bytes().chunks(size) {
            peer.io.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let response = soon(sent).await.unwrap().unwrap();
        assert_eq!(response.status(), 299);
        let values: Vec<_> = response.headers().get_all("x-case").iter().collect();
        assert_eq!(values, ["padded", ""], "by {size}");
        assert!(!response.headers().contains_key("link"));
        assert_eq!(text(response).await, "ok", "by {size}");
        assert_eq!(peer.at_home(), 1, "by {size}");
    }
}

#[tokio::test]
async fn what_says_two_things_of_its_end_is_refused() {
    for (lines, text) in [
        ("content-length: 1\r\ncontent-length: 2", "content-length"),
        ("content-length: 2, 2", "content-length"),
        ("content-length: +2", "content-length"),
        ("content-length:", "content-length"),
        ("content-length: 99999999999999999999", "content-length"),
        ("transfer-encoding: gzip, chunked", "transfer-encoding"),
        ("transfer-encoding: identity", "transfer-encoding"),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
            "transfer-encoding",
        ),
        (
            "content-length: 2\r\ntransfer-encoding: chunked",
            "sent chunks",
        ),
        (
            "transfer-encoding: chunked\r\ncontent-length: 2",
            "sent chunks",
        ),
        ("bad name: 1", "header name"),
        (" folded: 1", "header name"),
        ("x: \u{1}", "header value"),
    ] {
        let (answer, peer) = answered(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\nok")).await;
        let kind = answer.unwrap_err().kind;
        let SendFailureKind::Protocol(said) = &kind else {
            panic!("{lines}: {kind:?}");
        };
        assert!(said.contains(text), "{lines}: {said}");
        assert_eq!(peer.at_home(), 0, "{lines}");
    }
}

#[tokio::test]
async fn lengths_that_agree_are_one() {
    let (answer, _) =
        answered("HTTP/1.1 200 OK\r\ncontent-length: 02\r\ncontent-length: 2\r\n\r\nok").await;
    assert_eq!(text(answer.unwrap()).await, "ok");
}

#[tokio::test]
async fn a_coding_over_http_1_0_is_refused() {
    let reply = "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let kind = answered(reply).await.0.unwrap_err().kind;
    assert!(
        matches!(&kind, SendFailureKind::Protocol(text) if text.contains("1.0")),
        "{kind:?}"
    );
}

#[tokio::test]
async fn http_1_0_is_kept_if_it_says_so() {
    let reply = "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok";
    let (answer, peer) = answered(reply).await;
    let answer = answer.unwrap();
    assert_eq!(answer.version(), Version::HTTP_10);
    assert!(!answer.headers().contains_key("connection"));
    assert_eq!(text(answer).await, "ok");
    assert_eq!(peer.at_home(), 1);
}

#[tokio::test]
async fn nothing_that_follows_an_answer_is_taken_for_the_next() {
    for reply in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
        "HTTP/1.1 204 No Content\r\n\r\nbody",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore",
    ] {
        let (answer, mut peer) = answered(reply).await;
        let body = text(answer.unwrap()).await;
        assert!(body.is_empty() || body == "ok", "{reply}");
        assert_eq!(peer.at_home(), 0, "{reply}");
        peer.rest().await;
    }
    // Nor what comes while nobody has asked.
    let mut peer = start();
    peer.reply("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .await;
    let failure = soon(peer.send(get("http://a.example/")))
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        matches!(failure.kind, SendFailureKind::Unsent),
        "{failure:?}"
    );
    assert_eq!(peer.rest().await, "");
}

#[tokio::test]
async fn what_connect_opens_is_not_used_again() {
    let mut peer = start();
    let mut request = get("b.example:443");
    *request.method_mut() = http::Method::CONNECT;
    let sent = peer.send(request);
    peer.head().await;
    peer.reply("HTTP/1.1 200 OK\r\n\r\n").await;
    let response = soon(sent).await.unwrap().unwrap();
    assert!(response.body().is_end_stream());
    assert_eq!(peer.at_home(), 0);
}

#[tokio::test]
async fn a_long_body_comes_whole() {
    let long: String = (0..300_000)
        .map(|n| char::from(b'a' + (n % 23) as u8))
        .collect();
    let chunked: String = long
        .as_bytes()
        .chunks(7001)
        .map(|chunk| {
            format!(
                "{:X}\r\n{}\r\n",
                chunk.len(),
                str::from_utf8(chunk).unwrap()
            )
        })
        .collect();
    for (head, body) in [
        (format!("content-length: {}", long.len()), long.clone()),
        ("transfer-encoding: chunked".into(), chunked + "0\r\n\r\n"),
        ("x-ends: with the connection".into(), long.clone()),
    ] {
        let mut peer = start();
        let sent = peer.send(get("http://a.example/"));
        peer.head().await;
        let mut io = peer.io;
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        let writing = tokio::spawn(async move {
            io.write_all(head.as_bytes()).await.unwrap();
            io.write_all(body.as_bytes()).await.unwrap();
            io.shutdown().await.unwrap();
            io
        });
        let response = soon(sent).await.unwrap().unwrap();
        let got = text(response).await;
        assert!(got == long.as_bytes(), "{} bytes", got.len());
        drop(soon(writing).await.unwrap());
    }
}

#[tokio::test]
async fn a_body_has_to_be_as_long_as_its_request_says() {
    let peer = start();
    let request = Request::post("http://a.example/")
        .header("content-length", "3")
        .body(RequestBody::full(Bytes::from_static(b"four")))
        .unwrap();
    let failure = soon(peer.send(request)).await.unwrap().unwrap_err();
    assert!(matches!(&failure.kind, SendFailureKind::Protocol(text) if text.contains("length")));
    assert!(failure.request.is_some());
    assert_eq!(peer.at_home(), 1, "nothing was written");
    for (frames, short) in [(&["ab"][..], true), (&["ab", "cd"], false)] {
        let mut peer = start();
        let frames: Vec<Result<_, BoxError>> = frames
            .iter()
            .map(|data| Ok(Frame::data(Bytes::from(*data))))
            .collect();
        let body = RequestBody::boxed(StreamBody::new(futures_util::stream::iter(frames)));
        let request = Request::post("http://a.example/").header("content-length", "3");
        let sent = peer.send(request.body(body).unwrap());
        let failure = soon(sent).await.unwrap().unwrap_err();
        let SendFailureKind::RequestBody(error) = &failure.kind else {
            panic!("{failure:?}");
        };
        assert_eq!(error.to_string().contains("shorter"), short, "{error}");
        assert!(!peer.rest().await.contains("abcd"));
    }
}
