//! What is left when every handle is gone: nothing.

use std::time::Duration;

use http_body_util::BodyExt;
use mesh_core::{
    config::{LbConfig, Readiness},
    source::FixedSource,
};
use mesh_testkit::echo::Behaviour;
use mesh_tower::Mesh;
use tokio::{runtime::Handle, task::yield_now};

use crate::support::{PROTOCOLS, cluster, get, mesh, nowhere, request, server, simple};

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until as many tasks are alive as `before`; the test hangs no longer than this.
async fn back_to(before: usize) {
    let wait = async {
        while tasks() != before {
            yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
    assert!(waited.is_ok(), "{} tasks, {before} before", tasks());
}

#[tokio::test]
async fn nothing_survives_the_last_handle() {
    for protocol in PROTOCOLS {
        for readiness in [Readiness::OnDemand, Readiness::ConnectFirst] {
            let server = server(protocol, "only");
            yield_now().await;
            let before = tasks();
            let mut cluster = cluster("only", protocol, &[server.socket(), nowhere()]);
            cluster.lb = LbConfig {
                readiness,
                ..cluster.lb
            };
            let (mesh, source) = mesh(simple(cluster));
            let client = mesh.http_client("shop");
            let idle = mesh.http_client("not configured");
            get(&client, "/").await;
            // A response that is read half, one that is not read, and a request without an answer.
            let body_size = Some(4 << 20);
            server.next(
                2,
                Behaviour {
                    body_size,
                    ..Behaviour::default()
                },
            );
            let mut half = client.send(request("/half")).await.unwrap();
            half.frame().await.unwrap().unwrap();
            let unread = client.send(request("/unread")).await.unwrap();
            server.hold();
            let count = server.count();
            let waiting = {
                let client = client.clone();
                tokio::spawn(async move { client.send(request("/held")).await.map(drop) })
            };
            server
                .wait_for("the last request", |it| it.count() == count + 1)
                .await;
            assert!(tasks() > before);
            waiting.abort();
            let _ = waiting.await;
            drop((mesh, source, client, idle));
            drop((half, unread));
            server.release();
            back_to(before).await;
            assert_eq!(server.open_connections(), 0);
        }
    }
}

/// A response keeps its own connection, and nothing else.
#[tokio::test]
async fn a_response_that_is_still_read_outlives_its_mesh() {
    for protocol in PROTOCOLS {
        let server = server(protocol, "only");
        yield_now().await;
        let before = tasks();
        let size = 4 << 20;
        server.always(Behaviour {
            body_size: Some(size),
            ..Behaviour::default()
        });
        let answer = {
            let cluster = cluster("only", protocol, &[server.socket()]);
            let (mesh, _source) = mesh(simple(cluster));
            mesh.http_client("shop").send(request("/")).await.unwrap()
        };
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), size);
        back_to(before).await;
    }
}

#[tokio::test]
async fn a_driver_ends_with_its_mesh() {
    let (mesh, driver) = Mesh::builder().source(FixedSource::new()).build().unwrap();
    let client = mesh.http_client("shop");
    let driver = tokio::spawn(driver);
    drop(mesh);
    yield_now().await;
    assert!(!driver.is_finished(), "a client keeps its mesh");
    drop(client);
    driver.await.unwrap();
}

/// An `async fn` that is given a future holds it twice: one such layer doubles what lies below it.
#[tokio::test]
async fn the_future_of_a_request_is_of_moderate_size() {
    let (mesh, _driver) = Mesh::builder().source(FixedSource::new()).build().unwrap();
    let client = mesh.http_client("shop");
    let size = size_of_val(&client.send(request("/")));
    assert!(size <= 10 << 10, "{size} bytes");
}
