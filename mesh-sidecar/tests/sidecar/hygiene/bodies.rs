//! Where bodies end, and what becomes of what stands behind them.

use mesh_testkit::EchoServer;

use crate::support::{Sidecar, Upstream, plane, said, to};

#[tokio::test]
async fn pipelined_requests_arrive_each_with_its_own_body() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let host = "host: shop.test\r\n";
    let requests = [
        format!("POST /1 HTTP/1.1\r\n{host}content-length: 4\r\n\r\nGET "),
        format!(
            "POST /2 HTTP/1.1\r\n{host}transfer-encoding: chunked\r\n\r\n4;a=b\r\nGET \r\n3 \r\n/ 1\r\n0\r\n\r\n"
        ),
        format!("GET /3 HTTP/1.1\r\n{host}content-length: 2\r\n\r\nab"),
        format!(
            "GET /4 HTTP/1.1\r\n{host}transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx-t: 1\r\n\r\n"
        ),
        format!(
            "POST /5 HTTP/1.1\r\n{host}connection: content-length\r\ncontent-length: 002\r\n\r\nab"
        ),
        format!(
            "DELETE /6 HTTP/1.1\r\n{host}transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
        ),
        format!("\r\n\r\nGET /7 HTTP/1.1\n{host}connection: close\n\n"),
    ];
    let heard = said(sidecar.at, requests.concat().as_bytes()).await;
    assert_eq!(heard.statuses(), [200; 7], "{heard:?}");
    let seen: Vec<_> = servers[0]
        .requests()
        .into_iter()
        .map(|it| (it.path, String::from_utf8(it.body.to_vec()).unwrap()))
        .collect();
    let bodies = ["GET ", "GET / 1", "ab", "ab", "ab", "ab", ""];
    let expected = bodies.iter().enumerate();
    let expected: Vec<_> = expected
        .map(|(place, body)| (format!("/{}", place + 1), (*body).to_owned()))
        .collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_stands_behind_a_body_is_dropped() {
    let upstream = Upstream::start(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let plane = to(upstream.at).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let request = "POST /a HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\ntrailer: x-t, host\r\n\
                   transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx-t: 1\r\nhost: evil.test\r\n\r\n";
    let heard = said(sidecar.at, request.as_bytes()).await;
    assert_eq!(heard.statuses(), [200], "{heard:?}");
    let [seen] = &upstream.requests()[..] else {
        panic!("{:?}", upstream.requests());
    };
    assert!(seen.ends_with("\r\n\r\n2\r\nab\r\n0\r\n\r\n"), "{seen}");
    assert!(!seen.contains("evil"), "{seen}");
}

#[tokio::test]
async fn a_request_that_could_have_had_a_body_says_that_it_has_none() {
    let upstream = Upstream::start(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let plane = to(upstream.at).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    for (method, says) in [
        ("POST", true),
        ("PUT", true),
        ("OPTIONS", true),
        ("GET", false),
        ("DELETE", false),
    ] {
        let before = upstream.requests().len();
        let request =
            format!("{method} /a HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n");
        let heard = said(sidecar.at, request.as_bytes()).await;
        assert_eq!(heard.statuses(), [200], "{heard:?}");
        let seen = &upstream.requests()[before];
        let said = seen.contains("\r\ncontent-length: 0\r\n");
        assert_eq!(said, says, "{seen}");
        assert!(!seen.contains("transfer-encoding"), "{seen}");
    }
}
