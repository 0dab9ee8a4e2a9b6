//! What is behind a sidecar.

use std::{net::SocketAddr, time::Duration};

use mesh_testkit::{ControlPlane, EchoServer, xds};

/// A control plane that routes `shop.test/v2` to the second server and all else to the first.
pub(crate) async fn plane(servers: [&EchoServer; 2]) -> ControlPlane {
    let plane = ControlPlane::start().await;
    let routes = xds::route_config("routes").host(
        &["shop.test"],
        [
            xds::to("b").path_prefix("/v2").name("second"),
            xds::to("a").prefix("/").name("first"),
        ],
    );
    plane.set((
        xds::listener("outbound", "routes"),
        routes,
        vec![xds::cluster("a").http1(), xds::cluster("b").http1()],
        vec![
            xds::endpoints("a", &[servers[0].socket()]),
            xds::endpoints("b", &[servers[1].socket()]),
        ],
    ));
    plane
}

/// A control plane that sends all for `shop.test` to one address; what is below `/brief` may take no
/// longer than that.
pub(crate) async fn to(at: SocketAddr) -> ControlPlane {
    let plane = ControlPlane::start().await;
    let brief = xds::to("a").prefix("/brief");
    let routes = [
        brief.max_stream_duration(Duration::from_millis(100)),
        xds::to("a").prefix("/"),
    ];
    plane.set((
        xds::listener("outbound", "routes"),
        xds::route_config("routes").host(&["shop.test"], routes),
        xds::cluster("a").http1(),
        xds::endpoints("a", &[at]),
    ));
    plane
}
