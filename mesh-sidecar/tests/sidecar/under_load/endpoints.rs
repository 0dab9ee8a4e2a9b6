//! Endpoints that die.

use mesh_testkit::{ControlPlane, EchoServer, xds};

use crate::support::{Load, Sidecar, Tally};

/// Two of three endpoints die, one after the other, while requests are under way.
async fn dying(retries: bool) -> Tally {
    let servers = [(); 3].map(|()| EchoServer::http1().start());
    let plane = ControlPlane::start().await;
    let mut route = xds::to("a").prefix("/");
    if retries {
        route = route.retry(xds::retry("reset,connect-failure", 3));
    }
    let addresses: Vec<_> = servers.iter().map(EchoServer::socket).collect();
    plane.set((
        xds::listener("outbound", "routes"),
        xds::route_config("routes").host(&["*"], [route]),
        xds::cluster("a").http1().max_retries(1_000),
        xds::endpoints("a", &addresses),
    ));
    let sidecar = Sidecar::start(&plane, &["--workers", "2"]).await;
    sidecar.ready().await;
    let load = Load::start(sidecar.at, "/any");
    for dies in &servers[..2] {
        load.answered(200).await;
        // The one, then the other, so that a second endpoint is always there.
        dies.stop().await;
        load.answered(200).await;
        dies.restart().await;
    }
    // They get their share again.
    for server in &servers[..2] {
        let before = server.count();
        server.wait_for("requests", |it| it.count() > before).await;
    }
    load.end().await
}

#[tokio::test]
async fn what_may_be_sent_again_does_not_fail() {
    let tally = dying(true).await;
    assert_eq!(tally.keys().collect::<Vec<_>>(), ["200"], "{tally:?}");
}

#[tokio::test]
async fn what_may_not_is_answered_as_envoy_would() {
    let tally = dying(false).await;
    let reset = "503 upstream connect error or disconnect/reset before headers. reset reason: ";
    for what in tally.keys().filter(|what| *what != "200") {
        let reason = what.strip_prefix(reset);
        let known = ["connection termination", "remote connection failure"];
        assert!(reason.is_some_and(|it| known.contains(&it)), "{tally:?}");
    }
    // No more than were under way, or met an endpoint before it was known to be gone.
    let failed: u64 = tally.values().sum::<u64>() - tally["200"];
    assert!(failed <= 64, "{tally:?}");
}
