use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, UnixStream};

use super::*;
use crate::net::Io;
use crate::{CountingListener, black_hole, refusing_address};

type Client1 = http1::SendRequest<Full<Bytes>>;
type Client2 = http2::SendRequest<Full<Bytes>>;

async fn dial(server: &EchoServer) -> Box<dyn Io> {
    match server.address() {
        Address::Tcp(at) => Box::new(TcpStream::connect(at).await.unwrap()),
        Address::Unix(path) => Box::new(UnixStream::connect(path).await.unwrap()),
    }
}

async fn client1(server: &EchoServer) -> Client1 {
    let (client, connection) = http1::handshake(TokioIo::new(dial(server).await))
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

async fn client2(server: &EchoServer) -> Client2 {
    let io = TokioIo::new(dial(server).await);
    let (client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    client
}

fn get(path: &str) -> http::request::Builder {
    Request::get(format!("http://shop.example:81{path}"))
}

fn empty(request: http::request::Builder) -> Request<Full<Bytes>> {
    request.body(Full::default()).unwrap()
}

async fn report(response: Response<hyper::body::Incoming>) -> EchoReport {
    EchoReport::parse(&response.into_body().collect().await.unwrap().to_bytes())
}

fn reason(error: &hyper::Error) -> Option<Reason> {
    error.source()?.downcast_ref::<h2::Error>()?.reason()
}

#[tokio::test]
async fn reports_a_request_over_http1() {
    let server = EchoServer::http1().server_id("one").start();
    let mut client = client1(&server).await;
    let request = Request::post("/a/b?c=d")
        .header("host", "shop.example")
        .header("x-two", "1")
        .header("x-two", "2")
        .body(Full::from("hello"))
        .unwrap();
    let report = report(client.send_request(request).await.unwrap()).await;
    assert_eq!(
        (report.server_id.as_str(), report.method.as_str()),
        ("one", "POST")
    );
    assert_eq!(
        (report.path.as_str(), report.authority.as_str()),
        ("/a/b?c=d", "shop.example")
    );
    assert_eq!(report.version, "HTTP/1.1");
    assert_eq!(report.headers["x-two"], ["1", "2"]);
    assert_eq!(
        (report.body_len, report.body.as_deref()),
        (5, Some("hello"))
    );
    let seen = &server.requests()[0];
    assert_eq!((seen.serial, seen.connection), (1, 1));
    assert_eq!(
        (seen.body.as_ref(), seen.body_len),
        (&b"hello"[..], Some(5))
    );
}

#[tokio::test]
async fn reports_requests_over_http2_and_auto() {
    for server in [EchoServer::http2().start(), EchoServer::auto().start()] {
        let mut client = client2(&server).await;
        for serial in 1..=2 {
            let request = empty(get("/x?y=z").header("x-a", "b"));
            let report = report(client.send_request(request).await.unwrap()).await;
            assert_eq!((report.serial, report.connection), (serial, 1));
            assert_eq!(
                (report.path.as_str(), report.authority.as_str()),
                ("/x?y=z", "shop.example:81")
            );
            assert_eq!(report.header("x-a"), Some("b"));
            assert_eq!(report.version, "HTTP/2.0");
        }
        assert_eq!((server.count(), server.connections()), (2, 1));
    }
}

#[tokio::test]
async fn listens_on_a_unix_socket_and_in_memory() {
    let path = std::env::temp_dir().join(format!("echo-{}.sock", std::process::id()));
    let server = EchoServer::auto().bind_unix(&path).unwrap();
    let mut client = client1(&server).await;
    let request = empty(Request::get("/u").header("host", "h"));
    assert_eq!(
        report(client.send_request(request).await.unwrap())
            .await
            .path,
        "/u"
    );

    let io = TokioIo::new(server.connect_in_memory());
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = empty(get("/m"));
    assert_eq!(
        report(client.send_request(request).await.unwrap())
            .await
            .path,
        "/m"
    );
    drop(server);
    assert!(!path.exists());
}

#[tokio::test]
async fn request_headers_script_the_answer() {
    let server = EchoServer::http2().start();
    let mut client = client2(&server).await;
    let request = empty(
        get("/")
            .header("x-echo-status", "503")
            .header("x-echo-delay-ms", "1")
            .header("x-echo-body-size", "40000")
            .header("x-echo-headers", "x-more=yes")
            .header("x-echo-trailers", "x-end=1,x-last=2"),
    );
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["x-more"], "yes");
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-last"], "2");
    assert_eq!(body.to_bytes().len(), 40_000);

    let request = empty(get("/").header("x-echo-status", "soon"));
    assert_eq!(client.send_request(request).await.unwrap().status(), 400);
}

#[tokio::test]
async fn resets_streams_and_closes_connections() {
    let server = EchoServer::auto().start();
    let mut client = client2(&server).await;
    let request = empty(get("/").header("x-echo-reset", "refused_stream"));
    let error = client.send_request(request).await.unwrap_err();
    assert_eq!(reason(&error), Some(Reason::REFUSED_STREAM));

    let request = empty(
        get("/")
            .header("x-echo-reset", "internal_error")
            .header("x-echo-reset-after", "10"),
    );
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let error = response.into_body().collect().await.unwrap_err();
    assert_eq!(reason(&error), Some(Reason::INTERNAL_ERROR));

    let mut client = client1(&server).await;
    let request = empty(Request::get("/").header("x-echo-reset", "cancel"));
    assert!(client.send_request(request).await.is_err());
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn the_next_requests_come_before_all_others() {
    let server = EchoServer::http1().always(Behaviour::status(201)).start();
    server.next(2, Behaviour::status(500));
    server.next(1, Behaviour::status(404).with_header("x-why", "test"));
    let mut client = client1(&server).await;
    for status in [500, 500, 404, 201, 201] {
        let response = client.send_request(empty(Request::get("/"))).await.unwrap();
        assert_eq!(response.status(), status);
        response.into_body().collect().await.unwrap();
    }
}

#[tokio::test]
async fn holds_requests_and_counts_those_given_up() {
    let server = EchoServer::http2().start();
    server.hold();
    let mut client = client2(&server).await;
    let kept = tokio::spawn(client.send_request(empty(get("/1"))));
    server
        .wait_for("a request in flight", |server| server.in_flight() == 1)
        .await;
    server.release();
    assert_eq!(kept.await.unwrap().unwrap().status(), 200);
    assert_eq!(server.cancelled(), 0);

    server.hold();
    let given_up = tokio::spawn(client.send_request(empty(get("/2"))));
    server
        .wait_for("a request in flight", |server| server.in_flight() == 1)
        .await;
    given_up.abort();
    server
        .wait_for("its end", |server| server.cancelled() == 1)
        .await;
    assert_eq!(server.in_flight(), 0);
}

#[tokio::test]
async fn stops_and_starts_again_on_the_same_port() {
    let server = EchoServer::http2().start();
    let mut client = client2(&server).await;
    server.hold();
    let pending = client.send_request(empty(get("/")));
    let pending = tokio::spawn(pending);
    server
        .wait_for("a request", |server| server.in_flight() == 1)
        .await;
    server.stop().await;
    assert!(pending.await.unwrap().is_err());
    assert_eq!((server.open_connections(), server.in_flight()), (0, 0));
    assert!(TcpStream::connect(server.socket()).await.is_err());

    server.release();
    server.restart().await;
    let mut client = client2(&server).await;
    let report = report(client.send_request(empty(get("/"))).await.unwrap()).await;
    assert_eq!((report.serial, report.connection), (2, 2));
}

#[tokio::test]
async fn drains_after_the_last_answer() {
    let server = Arc::new(EchoServer::http2().start());
    server.hold();
    let mut client = client2(&server).await;
    let pending = tokio::spawn(client.send_request(empty(get("/"))));
    server
        .wait_for("a request", |server| server.in_flight() == 1)
        .await;
    let draining = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.drain().await }
    });
    while TcpStream::connect(server.socket()).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!draining.is_finished());
    server.release();
    assert_eq!(pending.await.unwrap().unwrap().status(), 200);
    tokio::time::timeout(Duration::from_secs(30), draining)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_goaway_ends_connections_and_keeps_the_listener() {
    let server = EchoServer::auto().start();
    let client = client2(&server).await;
    server
        .wait_for("a connection", |server| server.open_connections() == 1)
        .await;
    server.goaway();
    server
        .wait_for("its end", |server| server.open_connections() == 0)
        .await;
    drop(client);
    let mut client = client2(&server).await;
    assert!(client.send_request(empty(get("/"))).await.is_ok());
}

#[tokio::test]
async fn dead_addresses_refuse_die_or_stay_silent() {
    let refusing = refusing_address();
    let error = TcpStream::connect(refusing.socket()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);

    let dying = CountingListener::start();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(dying.socket()).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }
    dying.wait_for(2).await;
    assert_eq!(dying.count(), 2);

    let silent = black_hole();
    let stream = TcpStream::connect(silent.socket()).await.unwrap();
    assert!(stream.try_read(&mut [0]).is_err());
}
