//! A control plane that is lost.

use mesh_testkit::{EchoServer, xds};

use crate::support::{Load, Sidecar, plane};

#[tokio::test]
async fn requests_go_on_without_a_control_plane_and_follow_it_when_it_is_back() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "2"]).await;
    sidecar.ready().await;
    let load = Load::start(sidecar.at, "/v1");
    load.answered(100).await;
    plane.disconnect_all().await;
    load.answered(100).await;
    plane.stop().await;
    load.answered(400).await;
    assert_eq!(sidecar.page("/ready").await.0, 200);
    assert_eq!(servers[1].count(), 0);
    plane.set(xds::route_config("routes").host(&["*"], [xds::to("b").prefix("/")]));
    load.answered(100).await;
    plane.restart().await;
    servers[1]
        .wait_for("requests by the new route", |it| it.count() > 100)
        .await;
    let tally = load.end().await;
    assert_eq!(tally.keys().collect::<Vec<_>>(), ["200"], "{tally:?}");
}
