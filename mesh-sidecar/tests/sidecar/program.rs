//! Requests, workers, listeners.

use std::time::Duration;

use mesh_testkit::{ControlPlane, EchoServer, echo::Behaviour, echo::EchoReport, xds};

use crate::support::{Sidecar, get, plane, text};

#[tokio::test]
async fn requests_go_where_the_control_plane_says() {
    let servers = ["one", "two"].map(|id| EchoServer::http1().server_id(id).start());
    let plane = plane([&servers[0], &servers[1]]).await;
    for workers in ["1", "3"] {
        let sidecar = Sidecar::start(&plane, &["--workers", workers]).await;
        sidecar.ready().await;
        for _ in 0..6 {
            for (path, server) in [("/v2/a?b=c", "two"), ("/v1/a?b=c", "one")] {
                let answer = get(sidecar.at, "shop.test", path).await;
                assert_eq!(answer.status(), 200);
                let seen = EchoReport::parse(text(answer).await.as_bytes());
                assert_eq!(
                    (seen.server_id.as_str(), seen.path.as_str()),
                    (server, path)
                );
                assert_eq!(seen.authority, "shop.test");
            }
        }
        assert_eq!(get(sidecar.at, "other.test", "/").await.status(), 404);
    }
    assert_eq!(plane.streams_total(), 2, "one of each, for all its workers");
}

#[tokio::test]
async fn the_dialect_decides_what_the_resources_mean() {
    let server = EchoServer::auto().start();
    let plane = ControlPlane::start().await;
    // To gRPC a route has no timeout, but streams have.
    let route = xds::to("a").prefix("/").timeout(Duration::from_millis(20));
    plane.set((
        xds::listener("outbound", "routes"),
        xds::route_config("routes").host(&["*"], [route]),
        xds::cluster("a"),
        xds::endpoints("a", &[server.socket()]),
    ));
    server.always(Behaviour::delay(Duration::from_millis(100)));
    for (dialect, status) in [("envoy", 504), ("grpc", 200)] {
        // Until the answer has gone elsewhere.
        let held = dialect == "envoy";
        if held {
            server.hold();
        }
        let sidecar = Sidecar::start(&plane, &["--workers", "1", "--dialect", dialect]).await;
        sidecar.ready().await;
        assert_eq!(get(sidecar.at, "shop.test", "/").await.status(), status);
        server.release();
    }
}
