//! Sides of a connection that are closed before their time.

use mesh_testkit::EchoServer;

use crate::support::{Raw, Sidecar, Upstream, get, said, to};

#[tokio::test]
async fn a_client_that_closes_its_half_has_left() {
    let server = EchoServer::http1().start();
    let plane = to(server.socket()).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    server.hold();
    for (number, wholly) in [(1, false), (2, true)] {
        let mut client = Raw::connect(sidecar.at).await;
        let said = b"GET /a HTTP/1.1\r\nhost: shop.test\r\n\r\n";
        client.say(said).await;
        server
            .wait_for("the request", |it| it.count() == number)
            .await;
        if wholly {
            drop(client);
        } else {
            client.half_close().await;
            assert_eq!(client.closed().await.0, "");
        }
        // Its request ends where it is, as Envoy's does.
        server
            .wait_for("the end of it", |it| it.cancelled() == number)
            .await;
    }
    server.release();
    assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
}

#[tokio::test]
async fn what_ends_before_it_is_whole_is_not_taken_for_whole() {
    let upstream = Upstream::start(|path| match path {
        "/length/cut" => "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        "/chunks/cut" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "/head/cut" => "HTTP/1.1 200 OK\r\ncontent-le",
        "/end/cut" => "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc",
        _ => "",
    })
    .await;
    let plane = to(upstream.at).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let ask = async |path: &str| {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n");
        said(sidecar.at, request.as_bytes()).await
    };
    let heard = ask("/length/cut").await;
    assert_eq!(heard.statuses(), [200]);
    assert!(heard.0.contains("content-length: 10\r\n"), "{heard:?}");
    assert!(heard.0.ends_with("\r\n\r\nabc"), "{heard:?}");
    let heard = ask("/chunks/cut").await;
    assert_eq!(heard.statuses(), [200]);
    assert!(!heard.0.ends_with("0\r\n\r\n"), "{heard:?}");
    for path in ["/head/cut", "/nothing/cut"] {
        let heard = ask(path).await;
        assert_eq!(heard.statuses(), [503], "{heard:?}");
        assert!(heard.0.ends_with("connection termination"), "{heard:?}");
    }
    // Here the end is the end.
    let heard = ask("/end/cut").await;
    assert_eq!(heard.statuses(), [200]);
    assert!(heard.0.ends_with("3\r\nabc\r\n0\r\n\r\n") || heard.0.ends_with("\r\n\r\nabc"));
}
