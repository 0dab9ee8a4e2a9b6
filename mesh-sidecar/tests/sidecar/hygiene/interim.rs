//! Answers before the answer.

use mesh_testkit::EchoServer;

use crate::support::{Raw, Sidecar, Upstream, plane, said, to};

#[tokio::test]
async fn a_client_that_waits_to_go_on_is_told_to() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let mut client = Raw::connect(sidecar.at).await;
    let head = "POST /a HTTP/1.1\r\nhost: shop.test\r\nexpect: 100-continue\r\n\
                connection: close\r\ncontent-length: 6\r\n\r\n";
    client.say(head.as_bytes()).await;
    let heard = client.until("\r\n\r\n").await;
    assert_eq!(heard, "HTTP/1.1 100 Continue\r\n\r\n");
    client.say(b"a body").await;
    let heard = client.closed().await;
    assert_eq!(heard.statuses(), [100, 200], "{heard:?}");
    let [seen] = &servers[0].requests()[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(seen.body, "a body");
    assert_eq!(seen.header("expect"), None);
    // One that does not wait may be told so, or not.
    let heard = said(sidecar.at, format!("{head}a body").as_bytes()).await;
    assert_eq!(heard.statuses().last(), Some(&200), "{heard:?}");
    // Whoever is refused is not told to go on.
    let head = head.replace("shop.test", "a b");
    let heard = said(sidecar.at, head.as_bytes()).await;
    assert_eq!(heard.statuses(), [400], "{heard:?}");
}

#[tokio::test]
async fn what_a_service_says_before_its_answer_is_kept() {
    let upstream = Upstream::start(|path| match path {
        "/100" => "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "/103" => {
            "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n\
             HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        }
        "/101" => "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    })
    .await;
    let plane = to(upstream.at).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    // Envoy passes on a 101 that nobody asked for.
    for (path, status) in [("/100", 200), ("/103", 200), ("/101", 502)] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: shop.test\r\n");
        let requests = format!("{request}\r\n{request}connection: close\r\n\r\n");
        let heard = said(sidecar.at, requests.as_bytes()).await;
        assert_eq!(heard.statuses(), [status, status], "{path}: {heard:?}");
        assert!(!heard.0.contains("link"), "{heard:?}");
    }
}
