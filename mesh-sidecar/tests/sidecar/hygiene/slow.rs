//! Clients that take their time: they hold what is theirs, and nobody else's.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use mesh_testkit::{EchoServer, echo::Behaviour};
use tokio::task::yield_now;

use crate::support::{
    Connection, DATA, END_HEADERS, Frames, HEADERS, Raw, Sidecar, block, frame, get, head, to,
};

#[tokio::test]
async fn a_request_said_byte_by_byte_is_answered() {
    let server = EchoServer::http1().start();
    let plane = to(server.socket()).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let mut slow = Raw::connect(sidecar.at).await;
    let request = "POST /slow HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\
                   transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for byte in request.as_bytes() {
        slow.say(&[*byte]).await;
        yield_now().await;
        if byte == &b'\n' {
            assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
        }
    }
    let heard = slow.closed().await;
    assert_eq!(heard.statuses(), [200], "{heard:?}");
    let requests = server.requests();
    let seen = requests.iter().find(|it| it.path == "/slow").unwrap();
    assert_eq!(seen.body, "abc");
}

#[tokio::test]
async fn a_request_that_never_ends_is_the_clients_fault() {
    let server = EchoServer::http1().start();
    let plane = to(server.socket()).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let mut client = Raw::connect(sidecar.at).await;
    let said = "POST /brief HTTP/1.1\r\nhost: shop.test\r\ncontent-length: 10\r\n\r\nabc";
    client.say(said.as_bytes()).await;
    let heard = client.closed().await;
    assert_eq!(heard.statuses(), [408], "{heard:?}");
    assert!(heard.0.contains("\r\nconnection: close\r\n"), "{heard:?}");
    assert!(
        heard.0.ends_with("\r\n\r\ndownstream duration timeout"),
        "{heard:?}"
    );
    let mut client = Frames::connect(sidecar.at).await;
    let fields = block(&head("POST", "/brief"));
    assert!(client.say(&frame(HEADERS, END_HEADERS, 1, &fields)).await);
    assert!(client.say(&frame(DATA, 0, 1, b"abc")).await);
    assert_eq!(client.status(1).await, "408");
    // One that has ended is not.
    server.hold();
    for mut client in Connection::both(sidecar.at).await {
        let request = client.request("/brief", "a body");
        let answer = client.send(request).await.unwrap();
        assert_eq!(answer.status(), 504);
        assert!(!answer.headers().contains_key("connection"));
    }
}

#[tokio::test]
async fn an_answer_that_is_not_read_stays_where_it_is() {
    const EACH: usize = 16 << 20;
    const CLIENTS: u64 = 8;
    let server = EchoServer::http1().start();
    let plane = to(server.socket()).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
    let before = sidecar.memory();
    server.next(
        CLIENTS as usize,
        Behaviour {
            body_size: Some(EACH),
            ..Behaviour::default()
        },
    );
    let mut answers = Vec::new();
    for number in 0..CLIENTS {
        let mut client = match number % 2 {
            0 => Connection::http1(sidecar.at).await,
            _ => Connection::http2(sidecar.at).await,
        };
        let request = client.request("/large", "");
        answers.push((client.send(request).await.unwrap(), client));
    }
    for _ in 0..50 {
        assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
    }
    let grown = sidecar.memory().saturating_sub(before);
    // A window, a socket's buffers and the pieces between, for each.
    assert!(grown < CLIENTS * (3 << 20), "{grown}");
    let (one, _client) = answers.swap_remove(0);
    let body = one.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body.len(), EACH);
    // Those who leave take their requests with them.
    drop(answers);
    server
        .wait_for("an end", |it| it.open_connections() <= 2)
        .await;
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_takes_its_request_with_it() {
    let server = EchoServer::http1().start();
    let plane = to(server.socket()).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let mut client = Raw::connect(sidecar.at).await;
    let said = "POST /half HTTP/1.1\r\nhost: shop.test\r\ncontent-length: 100000\r\n\r\n";
    client.say(said.as_bytes()).await;
    client.say(&[b'x'; 50_000]).await;
    server.wait_for("its beginning", |it| it.count() == 1).await;
    drop(client);
    server.wait_for("its end", |it| it.cancelled() == 1).await;
    let request = Request::post("/a").header("host", "shop.test");
    let request = request.body(Full::<Bytes>::from("whole")).unwrap();
    let answer = crate::support::connect(sidecar.at)
        .await
        .send_request(request);
    assert_eq!(answer.await.unwrap().status(), 200);
}
