//! Configuration that changes all the time.

use std::time::Duration;

use mesh_testkit::{
    ControlPlane, EchoServer,
    control::{CDS, EDS},
    xds,
};
use tokio::time::{interval, sleep, timeout};

use crate::support::{Load, PATIENCE, Sidecar};

/// How often it changes.
const PACE: Duration = Duration::from_millis(100);

const CHANGES: usize = 24;

#[tokio::test]
async fn a_change_every_100_ms_fails_nothing() {
    let servers = [(); 3].map(|()| EchoServer::http1().start());
    let plane = ControlPlane::start().await;
    plane.set(xds::listener("outbound", "routes"));
    let at = |place: usize| servers[place % servers.len()].socket();
    // Each time other clusters, other endpoints and other weights.
    let change = |number: usize| {
        let [one, other] = [format!("c{number}"), format!("c{}", number + 1)];
        let weights = [(one.as_str(), 30), (other.as_str(), 70)];
        let routes = [
            xds::to(&other).prefix("/v1/0").name(&format!("{number}")),
            xds::split(&weights).prefix("/"),
        ];
        let clusters: Vec<_> = [&one, &other].map(|it| xds::cluster(it).http1()).into();
        let endpoints = vec![
            xds::endpoints(&one, &[at(number), at(number + 1)]),
            xds::endpoints(&other, &[at(number + 1)]),
        ];
        plane.set((
            clusters,
            endpoints,
            xds::route_config("routes").host(&["*"], routes),
        ));
    };
    change(0);
    let sidecar = Sidecar::start(&plane, &["--workers", "2"]).await;
    sidecar.ready().await;
    let load = Load::start(sidecar.at, "/v1");
    load.answered(50).await;
    let mut ticks = interval(PACE);
    for number in 1..=CHANGES {
        ticks.tick().await;
        change(number);
        // Whoever takes a cluster away while anything leads there fails requests.
        in_force(&sidecar, number).await;
        if let Some(old) = number.checked_sub(2) {
            plane.remove(CDS, &format!("c{old}"));
            plane.remove(EDS, &format!("c{old}"));
        }
    }
    load.answered(100).await;
    let tally = load.end().await;
    assert_eq!(tally.keys().collect::<Vec<_>>(), ["200"], "{tally:?}");
}

/// Waits until requests are routed by this change.
async fn in_force(sidecar: &Sidecar, number: usize) {
    let route = format!("\"name\": \"{number}\"");
    let in_force = async {
        while !sidecar.page("/config_dump").await.1.contains(&route) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, in_force).await.expect("the change");
}
