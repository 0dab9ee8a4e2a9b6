//! Other protocols than HTTP are refused, and nothing that follows is read as HTTP.

use mesh_testkit::EchoServer;

use crate::support::{END_HEADERS, END_STREAM};
use crate::support::{Frames, HEADERS, Sidecar, block, frame, get, head, plane, said, text};

#[tokio::test]
async fn they_are_refused_and_the_connection_ends() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n";
    let host = "host: shop.test\r\n";
    for (request, status) in [
        (
            format!(
                "GET /chat HTTP/1.1\r\n{host}connection: Upgrade\r\nupgrade: websocket\r\n\r\n"
            ),
            403,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\n{host}connection: close, UPGRADE\r\nupgrade: TLS/1.2\r\n\r\n"
            ),
            403,
        ),
        (format!("CONNECT shop.test:80 HTTP/1.1\r\n{host}\r\n"), 404),
        (format!("CONNECT /a HTTP/1.1\r\n{host}\r\n"), 404),
    ] {
        let heard = said(sidecar.at, format!("{request}{hidden}").as_bytes()).await;
        assert_eq!(heard.statuses(), [status], "{request:?}: {heard:?}");
        assert!(heard.0.contains("\r\nconnection: close\r\n"), "{heard:?}");
    }
    assert_eq!(servers[0].count(), 0);
    // An offer may be left where it is.
    let offer = "connection: close, upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n";
    let request = format!("GET /a HTTP/1.1\r\n{host}{offer}\r\n");
    let heard = said(sidecar.at, request.as_bytes()).await;
    assert_eq!(heard.statuses(), [200], "{heard:?}");
    assert_eq!(servers[0].requests()[0].header("upgrade"), None);
}

#[tokio::test]
async fn over_http2_the_stream_alone_ends() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let mut client = Frames::connect(sidecar.at).await;
    let tunnel = block(&[(":method", "CONNECT"), (":authority", "shop.test:80")]);
    assert!(client.say(&frame(HEADERS, END_HEADERS, 1, &tunnel)).await);
    // Over HTTP/2 there is no such thing.
    let mut upgrade = head("GET", "/chat");
    upgrade.push(("upgrade", "websocket"));
    let upgrade = block(&upgrade);
    let ends = END_HEADERS | END_STREAM;
    assert!(client.say(&frame(HEADERS, ends, 3, &upgrade)).await);
    let asked = block(&head("GET", "/a"));
    assert!(client.say(&frame(HEADERS, ends, 5, &asked)).await);
    loop {
        let frame = client.reads.next().await.expect("the connection");
        if frame.stream == 5 && frame.flags & END_STREAM != 0 {
            break;
        }
    }
    let paths: Vec<_> = servers[0]
        .requests()
        .into_iter()
        .map(|it| it.path)
        .collect();
    assert_eq!(paths, ["/a"]);
    let answer = get(sidecar.at, "shop.test", "/b").await;
    assert!(text(answer).await.contains("\"/b\""));
}
