//! Draining: what is under way ends well, and nothing new begins.

use std::time::Duration;

use http::Request;
use http_body_util::Full;
use mesh_testkit::echo::EchoServer;
use tokio::{net::TcpStream, time::timeout};

use crate::support::{Client, PATIENCE, report, serve_to};

#[tokio::test]
async fn requests_under_way_are_answered_and_then_all_ends() {
    let server = EchoServer::http1().start();
    let served = serve_to(&[server.socket()]);
    let [mut http1, mut http2] = Client::both(served.at).await;
    let slow = || {
        let request = Request::get("/slow").header("x-echo-delay-ms", "300");
        request.body(Full::default()).unwrap()
    };
    let under_way = tokio::spawn(async move {
        let answers = tokio::join!(http1.send(slow()), http2.send(slow()));
        (http1, http2, answers.0.unwrap(), answers.1.unwrap())
    });
    server
        .wait_for("both requests", |server| server.count() == 2)
        .await;
    served.drain.begin();
    let (mut http1, mut http2, one, other) = under_way.await.unwrap();
    assert_eq!(one.headers()["connection"], "close");
    assert_eq!(report(one).await.path, "/slow");
    assert_eq!(report(other).await.path, "/slow");
    timeout(PATIENCE, served.ended).await.unwrap().unwrap();
    assert!(http1.ready().await.is_err());
    assert!(http2.ready().await.is_err());
    TcpStream::connect(served.at).await.unwrap_err();
}

#[tokio::test]
async fn a_connection_in_use_is_told_and_an_idle_one_is_closed() {
    let server = EchoServer::http1().start();
    let served = serve_to(&[server.socket()]);
    let [mut used, mut idle] = [
        Client::http1(served.at).await,
        Client::http1(served.at).await,
    ];
    let silent = TcpStream::connect(served.at).await.unwrap();
    for client in [&mut used, &mut idle] {
        report(client.get("/before").await).await;
        client.ready().await.unwrap();
    }
    served.drain.begin();
    // Within the grace, a request that was on its way is served.
    let response = used.get("/after").await;
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(report(response).await.path, "/after");
    timeout(PATIENCE, served.ended).await.unwrap().unwrap();
    let closed = async {
        while idle.ready().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, closed).await.unwrap();
    drop(silent);
}
