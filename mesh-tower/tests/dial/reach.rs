//! Reaching a server without TLS.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use mesh_core::{
    ErrorKind,
    server::{ChannelCredentials::Insecure, ServerAddress},
};
use mesh_testkit::{CountingListener, EchoServer, black_hole, refusing_address};
use mesh_tower::{
    connect::Executor,
    dial::{DialErrorKind, DialStep, Dialer},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tower_service::Service;

use crate::support::{at, dialer, host, post, server};

#[tokio::test]
async fn a_call_keeps_its_path_and_gets_the_servers_authority() {
    let echo = EchoServer::http2().start();
    let to = server(host("localhost", echo.socket().port()), Insecure);
    let mut channel = dialer().dial(&to).await.unwrap();
    let path = "/envoy.service/Stream%20It?a=b&c";
    let seen = post(&mut channel, path, "hello").await;
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", path));
    assert_eq!(
        seen.authority,
        format!("localhost:{}", echo.socket().port())
    );
    assert_eq!(seen.body.as_deref(), Some("hello"));
    // A URI that names another server does not lead there.
    let seen = post(&mut channel, "https://elsewhere.test:1/x", "").await;
    assert_eq!(
        seen.authority,
        format!("localhost:{}", echo.socket().port())
    );
    assert_eq!(seen.path, "/x");
    assert_eq!(echo.connections(), 1);
}

#[tokio::test]
async fn a_unix_socket_is_called_localhost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.sock");
    let echo = EchoServer::http2().bind_unix(&path).unwrap();
    let to = server(ServerAddress::Unix(path), Insecure);
    let mut channel = dialer().dial(&to).await.unwrap();
    assert_eq!(post(&mut channel, "/a", "").await.authority, "localhost");
    assert_eq!(echo.count(), 1);
}

#[tokio::test]
async fn the_connection_closes_with_its_last_handle() {
    let echo = EchoServer::http2().start();
    let channel = dialer()
        .dial(&server(at(echo.socket()), Insecure))
        .await
        .unwrap();
    let mut other = channel.clone();
    let closed = channel.closed();
    drop(channel);
    post(&mut other, "/still", "").await;
    assert_eq!(echo.open_connections(), 1);
    drop(other);
    echo.wait_for("the connection to close", |echo| {
        echo.open_connections() == 0
    })
    .await;
    closed.await;
}

#[tokio::test]
async fn a_lost_connection_fails_calls_and_a_new_one_serves() {
    let echo = EchoServer::http2().start();
    let (dialer, to) = (dialer(), server(at(echo.socket()), Insecure));
    let mut channel = dialer.dial(&to).await.unwrap();
    echo.disconnect().await;
    channel.closed().await;
    let request = Request::get("/a").body(Empty::<Bytes>::new()).unwrap();
    let error = channel.call(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(
        error.to_string().contains(&echo.socket().to_string()),
        "{error}"
    );
    assert!(!error.was_sent());
    let mut again = dialer.dial(&to).await.unwrap();
    post(&mut again, "/a", "").await;
}

#[tokio::test]
async fn a_reset_is_told_with_its_code() {
    let echo = EchoServer::http2().start();
    let mut channel = dialer()
        .dial(&server(at(echo.socket()), Insecure))
        .await
        .unwrap();
    let request = Request::get("/a")
        .header("x-echo-reset", "enhance_your_calm")
        .body(Empty::<Bytes>::new());
    let error = channel.call(request.unwrap()).await.unwrap_err();
    assert_eq!(error.h2_reason(), Some(11), "{error}");
    post(&mut channel, "/a", "").await;
}

#[tokio::test]
async fn a_refusal_names_the_server_and_the_address() {
    let nobody = refusing_address();
    let mut to = server(at(nobody.socket()), Insecure);
    to.uri = "dns:///control.test".into();
    let error = dialer().dial(&to).await.unwrap_err();
    assert!(
        matches!(error.kind(), DialErrorKind::Connect(_)),
        "{error:?}"
    );
    let text = error.to_string();
    assert!(
        text.starts_with("dns:///control.test: could not connect: "),
        "{text}"
    );
    assert!(text.contains(&format!("{}: ", nobody.socket())), "{text}");
}

#[tokio::test]
async fn a_missing_socket_and_an_impossible_host_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none.sock");
    let error = dialer()
        .dial(&server(ServerAddress::Unix(path.clone()), Insecure))
        .await;
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains(&format!("could not connect to {}", path.display())),
        "{text}"
    );
    for name in ["a b", "", "user@host", "a/b"] {
        let error = dialer()
            .dial(&server(host(name, 1), Insecure))
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind(), DialErrorKind::Host(_)),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_named() {
    // RFC 6761 reserves `invalid`: no resolver knows it, but one may be slow to say so.
    let error = dialer()
        .dial(&server(host("control.invalid", 1), Insecure))
        .await
        .unwrap_err();
    match error.kind() {
        DialErrorKind::Resolve { host, .. } => {
            assert_eq!(&**host, "control.invalid");
            assert!(
                error
                    .to_string()
                    .contains("no address for control.invalid: ")
            );
        }
        DialErrorKind::TimedOut { step, .. } => assert_eq!(*step, DialStep::Resolve),
        _ => panic!("{error}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_is_given_up_after_ten_seconds() {
    let hole = black_hole();
    let begin = Instant::now();
    let error = dialer()
        .dial(&server(at(hole.socket()), Insecure))
        .await
        .unwrap_err();
    let DialErrorKind::TimedOut { after, step } = error.kind() else {
        panic!("{error}");
    };
    assert_eq!((*after, *step), (Duration::from_secs(10), DialStep::Http2));
    assert_eq!(begin.elapsed().as_secs(), 10);
    assert!(error.to_string().contains("within 10s"), "{error}");
}

/// A dialer and the tasks that it starts.
fn watched() -> (Dialer, Tasks) {
    let tasks = Tasks::default();
    let started = Arc::clone(&tasks);
    let spawn = move |task| started.lock().unwrap().push(tokio::spawn(task));
    (Dialer::new(Executor::new(spawn)), tasks)
}

type Tasks = Arc<Mutex<Vec<JoinHandle<()>>>>;

/// Waits until all tasks have ended of themselves.
async fn all_end(tasks: &Tasks, count: usize) {
    let tasks = std::mem::take(&mut *tasks.lock().unwrap());
    assert_eq!(tasks.len(), count);
    for task in tasks {
        timeout(Duration::from_secs(30), task)
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_stays_behind_an_attempt() {
    let (dialer, tasks) = watched();
    let hole = black_hole();
    let to = server(at(hole.socket()), Insecure);
    dialer.dial(&to).await.unwrap_err();
    all_end(&tasks, 1).await;
    // Given up by the caller.
    let given_up = timeout(Duration::from_secs(1), dialer.dial(&to)).await;
    assert!(given_up.is_err());
    all_end(&tasks, 1).await;
}

#[tokio::test]
async fn nothing_stays_behind_a_connection() {
    let (dialer, tasks) = watched();
    let echo = EchoServer::http2().start();
    let to = server(at(echo.socket()), Insecure);
    let mut channel = dialer.dial(&to).await.unwrap();
    post(&mut channel, "/", "").await;
    // A call that is given up does not keep the connection.
    echo.hold();
    let call = channel.call(Request::get("/").body(Empty::<Bytes>::new()).unwrap());
    let call = tokio::spawn(call);
    echo.wait_for("the call", |echo| echo.in_flight() == 1)
        .await;
    drop(channel);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    all_end(&tasks, 1).await;
    echo.wait_for("the connection to close", |echo| {
        echo.open_connections() == 0
    })
    .await;
}

#[tokio::test]
async fn a_call_outlives_the_handle() {
    let echo = EchoServer::http2().start();
    let mut channel = dialer()
        .dial(&server(at(echo.socket()), Insecure))
        .await
        .unwrap();
    let request = Request::get("/").header("x-echo-body-size", "200000");
    let call = channel.call(request.body(Empty::<Bytes>::new()).unwrap());
    drop(channel);
    let body = call.await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes().len(), 200_000);
}

#[tokio::test]
async fn a_server_that_hangs_up_or_speaks_otherwise_is_an_error_at_once() {
    let dying = CountingListener::start();
    let error = dialer()
        .dial(&server(at(dying.socket()), Insecure))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), DialErrorKind::Http2(_)), "{error}");
    let old = EchoServer::http1().start();
    let error = dialer()
        .dial(&server(at(old.socket()), Insecure))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), DialErrorKind::Http2(_)), "{error}");
}

/// Carries bytes between one client and `to` until told to fall silent; then keeps the sockets.
async fn relay(to: std::net::SocketAddr) -> (std::net::SocketAddr, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, silence) = (listener.local_addr().unwrap(), Arc::new(Notify::new()));
    let silenced = Arc::clone(&silence);
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(to).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => {}
            () = silenced.notified() => std::future::pending().await,
        }
    });
    (address, silence)
}

#[tokio::test]
async fn a_call_on_a_connection_that_fell_silent_ends() {
    let echo = EchoServer::http2().start();
    echo.hold();
    let (relay, silence) = relay(echo.socket()).await;
    let mut channel = dialer().dial(&server(at(relay), Insecure)).await.unwrap();
    let call = tokio::spawn(channel.call(Request::get("/a").body(Empty::<Bytes>::new()).unwrap()));
    echo.wait_for("the call", |echo| echo.in_flight() == 1)
        .await;
    silence.notify_one();
    tokio::time::pause();
    let begin = Instant::now();
    let error = call.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("keepalive timed out"), "{error}");
    assert!(error.was_sent());
    // An interval of 30 s may have begun before the clock was held, and 10 s for the answer.
    assert!(
        (10..=40).contains(&begin.elapsed().as_secs()),
        "{:?}",
        begin.elapsed()
    );
}
