//! Ending by a signal.

use std::time::Duration;

use mesh_testkit::EchoServer;
use tokio::time::timeout;

use crate::support::{PATIENCE, Sidecar, connect, get, plane, request};

#[tokio::test]
async fn it_drains_when_it_is_told_to_end() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "2"]).await;
    sidecar.ready().await;
    let mut client = connect(sidecar.at).await;
    servers[0].hold();
    let under_way = tokio::spawn(async move {
        let answer = client.send_request(request("shop.test", "/slow")).await;
        answer.unwrap()
    });
    servers[0]
        .wait_for("the request", |it| it.count() == 1)
        .await;
    sidecar.terminate().await;
    let draining = async {
        while get(sidecar.admin, "admin", "/ready").await.status() != 503 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, draining).await.unwrap();
    servers[0].release();
    let answer = under_way.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["connection"], "close");
    assert!(sidecar.ended().await.success());
}

#[tokio::test]
async fn what_takes_longer_than_the_drain_timeout_is_cut_off() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "2", "--drain-timeout", "1"]).await;
    sidecar.ready().await;
    servers[0].hold();
    let mut client = connect(sidecar.at).await;
    let under_way = tokio::spawn(async move {
        let answer = client.send_request(request("shop.test", "/slow")).await;
        answer.map(|it| it.status())
    });
    servers[0]
        .wait_for("the request", |it| it.count() == 1)
        .await;
    sidecar.terminate().await;
    assert!(sidecar.ended().await.success());
    under_way.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--drain-timeout", "600"]).await;
    sidecar.ready().await;
    servers[0].hold();
    let mut client = connect(sidecar.at).await;
    tokio::spawn(async move { client.send_request(request("shop.test", "/slow")).await });
    servers[0]
        .wait_for("the request", |it| it.count() == 1)
        .await;
    sidecar.terminate().await;
    let draining = async {
        while get(sidecar.admin, "admin", "/ready").await.status() != 503 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, draining).await.unwrap();
    sidecar.terminate().await;
    assert!(sidecar.ended().await.success());
}
