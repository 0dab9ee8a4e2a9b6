//! What is behind the proxies: three servers, and a control plane that leads to them.

use std::{convert::Infallible, future::pending, net::SocketAddr, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{body::Incoming, server::conn, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mesh_testkit::{
    ControlPlane,
    xds::{self, ClusterBuilder, RouteBuilder},
};
use tokio::net::TcpListener;

use super::Protocol;
use crate::server;

/// The name of the listener.
pub const LISTENER: &str = "shop";

/// The path whose answer lets the others catch up.
pub const SLOW: &str = "/slow";

/// How many endpoints each of the other clusters has.
const ENDPOINTS: u16 = 10;

/// Serves a table of so many routes: each to a cluster of its own for the first `clusters`, to the one
/// with the servers for the others. The last takes what no prefix before it does. Prints the ports of
/// the servers, of the control plane and of the listener.
pub async fn serve(protocol: Protocol, routes: usize, clusters: usize) -> Result<()> {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(start(protocol).await?);
    }
    // Nothing else takes it in the moment until Envoy does: such ports are given out in turn.
    let listener = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let plane = ControlPlane::start().await;
    let ports: Vec<_> = servers.iter().map(|at| at.port().to_string()).collect();
    let with = |name: &str| {
        let cluster = xds::cluster(name).connect_timeout(Duration::from_secs(5));
        match protocol {
            Protocol::Http1 => ClusterBuilder::http1(cluster),
            Protocol::Http2 | Protocol::Grpc => ClusterBuilder::http2(cluster),
        }
    };
    let other = |number: usize| format!("cluster-{number:05}");
    let leads = |number: usize| {
        let cluster = if number < clusters {
            other(number)
        } else {
            "servers".to_owned()
        };
        let route = policy(xds::to(&cluster));
        if number + 1 == routes {
            route
        } else {
            route.prefix(&format!("/{number}/"))
        }
    };
    plane.set((
        xds::listener(LISTENER, "routes").socket(listener),
        xds::route_config("routes").host(&["*"], (0..routes).map(leads).collect::<Vec<_>>()),
        (with("servers"), xds::endpoints("servers", &servers)),
        (0..clusters)
            .map(|number| with(&other(number)))
            .collect::<Vec<_>>(),
        (0..clusters)
            .map(|number| xds::endpoints(&other(number), &nowhere(number)))
            .collect::<Vec<_>>(),
    ));
    println!(
        "{} {} {}",
        ports.join(","),
        plane.socket().port(),
        listener.port()
    );
    pending().await
}

/// What each route asks for. The limits of connections are the default ones.
fn policy(route: RouteBuilder) -> RouteBuilder {
    route
        .timeout(Duration::from_secs(15))
        .retry(xds::retry("5xx,reset,connect-failure", 2).per_try_timeout(Duration::from_secs(5)))
}

fn nowhere(cluster: usize) -> Vec<SocketAddr> {
    let [.., high, low] = cluster.to_be_bytes();
    let at = |place| SocketAddr::from(([10, high, low, 1], 1000 + place));
    (0..ENDPOINTS).map(at).collect()
}

async fn start(protocol: Protocol) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?;
    match protocol {
        Protocol::Http1 => drop(tokio::spawn(http1(listener))),
        Protocol::Http2 => drop(tokio::spawn(http2(listener))),
        Protocol::Grpc => drop(tokio::spawn(server::serve_grpc(listener))),
    }
    Ok(at)
}

async fn http1(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let serving = conn::http1::Builder::new();
        tokio::spawn(serving.serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

async fn http2(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let serving = conn::http2::Builder::new(TokioExecutor::new());
        tokio::spawn(serving.serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

async fn answer(
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == SLOW {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    Ok(http::Response::new(Full::new(Bytes::from_static(
        server::ANSWER,
    ))))
}
