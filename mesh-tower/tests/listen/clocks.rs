//! Clients, and services, that are too slow (Envoy, "timeouts").

use std::{future::pending, net::SocketAddr, time::Duration};

use http::Request;
use http_body_util::Full;
use mesh_testkit::echo::EchoServer;
use mesh_tower::listen::ListenOptions;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use crate::support::{Client, Served, serve, text, to};

const SECOND: Duration = Duration::from_secs(1);

/// What a client says, and what it waits before it goes on.
enum Says<'t> {
    Text(&'t str),
    Nothing(u64),
}
use Says::{Nothing, Text};

/// All that is answered to a client that says this, and after how many seconds the connection ends.
async fn answer(served: &Served, says: &[Says<'_>]) -> (String, u64) {
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    let start = Instant::now();
    let (mut reads, mut writes) = stream.split();
    let says = async {
        for it in says {
            match it {
                // It may be closed already.
                Text(text) => drop(writes.write_all(text.as_bytes()).await),
                Nothing(seconds) => sleep(SECOND * *seconds as u32).await,
            }
        }
        pending::<()>().await;
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = reads.read_to_end(&mut answer) => {}
        () = says => {}
    }
    let took = start.elapsed().as_secs();
    (String::from_utf8(answer).unwrap(), took)
}

fn limited(set: impl FnOnce(&mut ListenOptions), endpoint: SocketAddr) -> Served {
    let mut options = ListenOptions::default();
    set(&mut options);
    serve(to(&[endpoint]), options)
}

fn assert_is(answer: &str, status: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\n");
    assert!(answer.starts_with(&head), "{answer:?}");
    for line in [
        &*format!("content-length: {}", body.len()),
        "content-type: text/plain",
        "server: envoy",
        "connection: close",
        "date: ",
    ] {
        assert!(answer.contains(&format!("\r\n{line}")), "{answer:?}");
    }
    assert!(
        answer.ends_with(&format!("\r\n\r\n{body}")),
        "{body} {answer:?}"
    );
}

const PART: &str = "GET /a HTTP/1.1\r\nhost: shop.test\r\n";

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_to_its_end_is_answered() {
    let server = EchoServer::http1().start();
    let all = [
        (Some(SECOND * 5), None, None, "stream timeout", 5),
        (
            Some(SECOND * 5),
            Some(SECOND * 3),
            None,
            "request header timeout",
            3,
        ),
        (
            Some(SECOND * 5),
            Some(SECOND * 3),
            Some(SECOND * 2),
            "request timeout",
            2,
        ),
        (Some(SECOND * 300), None, None, "stream timeout", 300),
    ];
    for (stream, head, request, body, seconds) in all {
        let served = limited(
            |options| {
                options.stream_idle_timeout = stream;
                options.request_headers_timeout = head;
                options.request_timeout = request;
            },
            server.socket(),
        );
        for says in [
            &[Text("G")][..],
            &[Text(PART)],
            // More of it does not put it off.
            &[
                Text(PART),
                Nothing(1),
                Text("a: b\r\n"),
                Nothing(seconds - 1),
                Text("c"),
            ],
        ] {
            let (answer, took) = answer(&served, says).await;
            assert_is(&answer, "408 Request Timeout", body);
            assert_eq!(took, seconds, "{body}");
        }
        // The second request of a connection.
        let whole = format!("{PART}\r\n");
        let says = [Text(&whole), Nothing(1), Text(PART)];
        let (answer, took) = answer(&served, &says).await;
        let (first, second) = answer.split_once("HTTP/1.1 408").unwrap();
        assert!(first.starts_with("HTTP/1.1 200 OK\r\n"), "{first:?}");
        assert_is(
            &format!("HTTP/1.1 408{second}"),
            "408 Request Timeout",
            body,
        );
        assert_eq!(took, 1 + seconds, "{body}");
    }
    assert_eq!(server.count(), all.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_to_its_end_is_answered() {
    let server = EchoServer::http1().start();
    let part = "POST /a HTTP/1.1\r\nhost: shop.test\r\ncontent-length: 5\r\n\r\nab";
    let served = limited(
        |options| options.stream_idle_timeout = Some(SECOND * 5),
        server.socket(),
    );
    for (says, seconds) in [
        (&[Text(part)][..], 5),
        // Each part of it puts it off.
        (&[Text(part), Nothing(4), Text("c"), Nothing(1)], 9),
    ] {
        let (answer, took) = answer(&served, says).await;
        assert_is(&answer, "408 Request Timeout", "stream timeout");
        assert_eq!(took, seconds);
    }
    let served = limited(
        |options| options.request_timeout = Some(SECOND * 5),
        server.socket(),
    );
    let says = [Text(part), Nothing(4), Text("c"), Nothing(1)];
    let (answer, took) = answer(&served, &says).await;
    assert_is(&answer, "408 Request Timeout", "request timeout");
    assert_eq!(took, 5);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_requests_ends() {
    let server = EchoServer::http1().start();
    let served = limited(|options| options.idle_timeout = SECOND * 7, server.socket());
    assert_eq!(answer(&served, &[]).await, (String::new(), 7));
    let whole = format!("{PART}\r\n");
    let says = [Nothing(6), Text(&whole), Nothing(5), Text(&whole)];
    let (answer, took) = answer(&served, &says).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer:?}");
    assert_eq!(took, 6 + 5 + 7);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_says_nothing_is_not_waited_for() {
    let server = EchoServer::http1().start();
    server.hold();
    let served = limited(
        |options| {
            options.stream_idle_timeout = Some(SECOND * 5);
            // Of all that is there this says nothing.
            options.request_timeout = Some(SECOND * 2);
        },
        server.socket(),
    );
    let mut client = Client::http1(served.at).await;
    for _ in 0..2 {
        let start = Instant::now();
        let request = Request::get("/a").body(Full::default()).unwrap();
        let answer = client.send(request).await.unwrap();
        assert_eq!(answer.status(), 504);
        assert_eq!(text(answer).await, "stream timeout");
        assert_eq!(start.elapsed().as_secs(), 5);
        // The connection goes on.
        client.ready().await.unwrap();
    }
}

/// A server that answers each connection with the parts of `said`, a second after the other, and then
/// with nothing.
async fn says(said: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.read_u8().await.unwrap();
                for part in said {
                    stream.write_all(part.as_bytes()).await.unwrap();
                    sleep(SECOND).await;
                }
                pending::<()>().await;
            });
        }
    });
    at
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stops_is_cut() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    let whole = format!("{PART}\r\n");
    let limit = |options: &mut ListenOptions| options.stream_idle_timeout = Some(SECOND * 5);
    for (said, body, seconds) in [
        (&[head][..], "", 5),
        (&["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"], "ab", 5),
        (&[head, "a", "b", "c"], "abc", 8),
    ] {
        let served = limited(limit, says(Vec::leak(said.to_vec())).await);
        let (answer, took) = answer(&served, &[Text(&whole)]).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer:?}");
        assert_eq!(took, seconds, "{body}");
    }
    let slow: &[_] = vec![head, "a", "b", "c", "d", "e"].leak();
    let served = limited(
        |options| options.stream_idle_timeout = Some(SECOND * 2),
        says(slow).await,
    );
    let mut client = Client::http1(served.at).await;
    assert_eq!(text(client.get("/a").await).await, "abcde");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_left() {
    let server = EchoServer::http1().start();
    server.always(mesh_testkit::echo::Behaviour {
        body_size: Some(32 << 20),
        ..Default::default()
    });
    let served = limited(
        |options| options.stream_idle_timeout = Some(SECOND * 5),
        server.socket(),
    );
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    let whole = format!("{PART}\r\n");
    stream.write_all(whole.as_bytes()).await.unwrap();
    stream.read_u8().await.unwrap();
    sleep(SECOND * 60).await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < 32 << 20, "{}", rest.len());
}
