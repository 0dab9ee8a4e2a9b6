//! Clients that say what no library would.

use mesh_core::bounds::Bound;
use mesh_testkit::echo::EchoServer;
use mesh_tower::listen::ListenOptions;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{PATIENCE, Served, serve, serve_to, to};

/// The first line of the answer to `said`; empty when the connection ends without one.
async fn answer(served: &Served, said: &str) -> String {
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn bad_requests_are_answered_and_nothing_is_sent_on() {
    let server = EchoServer::http1().start();
    let served = serve_to(&[server.socket()]);
    let many: String = (0..101).map(|n| format!("x-{n}: 1\r\n")).collect();
    let long = "a".repeat(61 << 10);
    let counted = Bound::RequestHead.times();
    for (said, line) in [
        ("GET /a HTTP/1.0\r\n\r\n", "HTTP/1.0 426 Upgrade Required"),
        ("GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"),
        (
            "OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            "HTTP/1.1 404 Not Found",
        ),
        (
            "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n",
            "HTTP/1.1 404 Not Found",
        ),
        ("GARBAGE\r\n\r\n", "HTTP/1.1 400 Bad Request"),
        (
            "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            "HTTP/1.1 400 Bad Request",
        ),
        (
            &format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large",
        ),
        (
            &format!("GET / HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large",
        ),
    ] {
        let said_first: String = said.chars().take(80).collect();
        assert_eq!(answer(&served, said).await, line, "{said_first:?}");
    }
    assert_eq!(server.count(), 0);
    assert!(Bound::RequestHead.times() >= counted + 2);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let server = EchoServer::http1().start();
    let served = serve_to(&[server.socket()]);
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    for n in 0..20 {
        let last = if n == 19 { "connection: close\r\n" } else { "" };
        let said = format!("GET /{n} HTTP/1.1\r\nhost: shop.test\r\n{last}\r\n");
        stream.write_all(said.as_bytes()).await.unwrap();
    }
    let mut answers = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answers))
        .await
        .unwrap()
        .unwrap();
    let places: Vec<_> = (0..20)
        .map(|n| answers.find(&format!("\"path\":\"/{n}\"")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[tokio::test]
async fn a_connection_more_than_may_be_waits_for_its_place() {
    let server = EchoServer::http1().start();
    let mut options = ListenOptions::default();
    options.max_connections = 1;
    let served = serve(to(&[server.socket()]), options);
    let request = b"GET /a HTTP/1.1\r\nhost: shop.test\r\n\r\n";
    let mut first = TcpStream::connect(served.at).await.unwrap();
    first.write_all(request).await.unwrap();
    first.read_u8().await.unwrap();
    let mut second = TcpStream::connect(served.at).await.unwrap();
    second.write_all(request).await.unwrap();
    let full = async {
        while Bound::ListenerConnections.times() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, full).await.unwrap();
    assert_eq!(server.count(), 1);
    drop(first);
    timeout(PATIENCE, second.read_u8()).await.unwrap().unwrap();
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn whoever_still_talks_hears_the_answer() {
    let server = EchoServer::http1().start();
    let served = serve_to(&[server.socket()]);
    let whole = vec![b'x'; 8 << 20];
    for (target, line) in [
        ("/a", "HTTP/1.1 400 Bad Request\r\n"),
        ("*", "HTTP/1.1 400 Bad Request\r\n"),
    ] {
        let mut stream = TcpStream::connect(served.at).await.unwrap();
        let head = format!(
            "POST {target} HTTP/1.1\r\ncontent-length: {}\r\n\r\n",
            whole.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // All of it, before it listens.
        timeout(PATIENCE, stream.write_all(&whole))
            .await
            .unwrap()
            .unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert!(answer.starts_with(line), "{answer}");
    }
    assert_eq!(server.count(), 0);
}
