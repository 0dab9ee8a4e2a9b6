//! Heads that are too large, and heads that are not yet.

use crate::support::{
    CONTINUATION, END_HEADERS, END_STREAM, Frames, HEADERS, Sidecar, Upstream, block, frame, head,
    said, to,
};

const LAST: &str = "connection: close\r\n";

#[tokio::test]
async fn more_than_may_be_is_refused_and_counted() {
    // One that has no limits of its own.
    let upstream = Upstream::start(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let plane = to(upstream.at).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "2"]).await;
    sidecar.ready().await;
    let with = |lines: &str| format!("GET /a HTTP/1.1\r\nhost: shop.test\r\n{LAST}{lines}\r\n");
    let many = |count: usize| {
        (0..count)
            .map(|n| format!("x-{n}: 1\r\n"))
            .collect::<String>()
    };
    let long = |kib: usize| "a".repeat(kib << 10);
    for (request, status) in [
        (with(&many(98)), 200),
        (with(&many(99)), 431),
        (with(&format!("x: {}\r\n", long(59))), 200),
        (with(&format!("x: {}\r\n", long(60))), 431),
        (with(&format!("{}: x\r\n", long(60))), 431),
        (with("").replace("/a", &format!("/{}", long(60))), 431),
        (with("").replace("shop.test", &long(60)), 431),
    ] {
        let heard = said(sidecar.at, request.as_bytes()).await;
        let first: String = request.chars().take(100).collect();
        assert_eq!(heard.statuses(), [status], "{first:?}");
    }
    assert_eq!(upstream.requests().len(), 2);
    let bound = ["mesh_bound=\"request_head\""];
    let counted = sidecar.counted("mesh_bound_exceeded_total", &bound, 5.0);
    assert_eq!(counted.await, 5.0);
}

#[tokio::test]
async fn over_http2_the_connection_goes_on() {
    // One that has no limits of its own.
    let upstream = Upstream::start(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let plane = to(upstream.at).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let mut client = Frames::connect(sidecar.at).await;
    let names: Vec<_> = (0..101).map(|n| format!("x-{n}")).collect();
    let with = |count: usize| {
        let mut fields = head("GET", "/a");
        fields.extend(names[..count].iter().map(|name| (name.as_str(), "1")));
        block(&fields)
    };
    let ends = END_HEADERS | END_STREAM;
    for (stream, fields, status) in [
        (1, with(100), "200"),
        (3, with(101), "431"),
        (5, with(0), "200"),
    ] {
        assert!(client.say(&frame(HEADERS, ends, stream, &fields)).await);
        assert_eq!(client.status(stream).await, status);
    }
    // Another, since what was said before is said in short.
    let mut client = Frames::connect(sidecar.at).await;
    let value = "a".repeat(61 << 10);
    let mut fields = head("GET", "/a");
    fields.push(("x", &value));
    let fields = block(&fields);
    let (first, rest) = fields.split_at(16 << 10);
    let mut bytes = frame(HEADERS, END_STREAM, 7, first);
    let mut pieces = rest.chunks(16 << 10).peekable();
    while let Some(piece) = pieces.next() {
        let ends = if pieces.peek().is_none() {
            END_HEADERS
        } else {
            0
        };
        bytes.extend(frame(CONTINUATION, ends, 7, piece));
    }
    assert!(client.say(&bytes).await);
    assert_eq!(client.status(7).await, "431");
    assert!(client.say(&frame(HEADERS, ends, 9, &with(0))).await);
    assert_eq!(client.status(9).await, "200");
    assert_eq!(upstream.requests().len(), 3);
    let bound = ["mesh_bound=\"request_head\""];
    sidecar
        .counted("mesh_bound_exceeded_total", &bound, 1.0)
        .await;
}
