//! Answers that have no body, whatever their headers say.

use crate::support::{Sidecar, Upstream, said, to};

fn answer(path: &str) -> &'static str {
    match path {
        "/head" => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
        "/chunks" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "/204" => "HTTP/1.1 204 No Content\r\n\r\n",
        "/204/0" => "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
        "/304" => "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\netag: \"a\"\r\n\r\n",
        "/0" => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "/nothing/cut" => "",
        _ => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    }
}

#[tokio::test]
async fn the_next_answer_begins_where_they_end() {
    let upstream = Upstream::start(answer).await;
    let plane = to(upstream.at).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let next = "GET /next HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n";
    for (method, path, status) in [
        ("HEAD", "/head", 200),
        ("HEAD", "/chunks", 200),
        ("HEAD", "/0", 200),
        ("GET", "/204", 204),
        ("GET", "/204/0", 204),
        ("GET", "/304", 304),
        ("GET", "/0", 200),
    ] {
        let first = format!("{method} {path} HTTP/1.1\r\nhost: shop.test\r\n\r\n");
        let heard = said(sidecar.at, format!("{first}{next}").as_bytes()).await;
        assert_eq!(heard.statuses(), [status, 200], "{path}: {heard:?}");
        let answers: Vec<_> = heard.0.split("\r\n\r\n").collect();
        let [bodiless, second, body] = answers[..] else {
            panic!("{path}: {heard:?}");
        };
        assert!(
            second.starts_with("HTTP/1.1 200 OK\r\n"),
            "{path}: {heard:?}"
        );
        assert_eq!(body, "ok", "{path}");
        let length = bodiless.split("content-length: ").nth(1);
        let length = length.and_then(|it| it.split("\r\n").next());
        match path {
            "/head" => assert_eq!(length, Some("5")),
            "/304" => assert!(bodiless.contains("\r\netag: \"a\""), "{bodiless}"),
            "/204" => assert_eq!(length, None),
            _ => {}
        }
    }
    // Nor has one that is made here.
    let nobody = "HEAD /nothing/cut HTTP/1.1\r\nhost: shop.test\r\n\r\n";
    let heard = said(sidecar.at, format!("{nobody}{next}").as_bytes()).await;
    assert_eq!(heard.statuses(), [503, 200], "{heard:?}");
    assert!(heard.0.contains("\r\ncontent-length: 95\r\n"), "{heard:?}");
    assert!(!heard.0.contains("upstream connect"), "{heard:?}");
}
