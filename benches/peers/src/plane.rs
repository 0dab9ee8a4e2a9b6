//! The control planes that lead the clients.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Result;
use mesh_benches::world::WEIGHTS;
use mesh_testkit::{
    ControlPlane,
    control::{CDS, EDS, LDS, RDS},
    xds::{self, RouteBuilder},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const KINDS: [&str; 4] = [LDS, RDS, CDS, EDS];

/// What a client is told of a control plane at `uri`.
pub fn bootstrap(uri: &str) -> String {
    format!(
        r#"{{"xds_servers": [{{"server_uri": "{uri}", "channel_creds": [{{"type": "insecure"}}]}}],
            "node": {{"id": "bench"}}}}"#
    )
}

/// `plain`: one route to one cluster of these servers. `shop`: a mesh's whole policy for gRPC: ten
/// routes whose headers do not match, then one with two weighted clusters of these servers, a retry
/// policy and a stream deadline of 15 s.
pub async fn shop(at: &[SocketAddr]) -> ControlPlane {
    let plane = ControlPlane::start().await;
    let never = (0..10).map(|index| policy().header(&format!("x-canary-{index}"), "yes"));
    let routes = xds::route_config("routes").host(&["*"], never.chain([policy()]));
    plane.set((xds::listener("shop", "routes"), routes));
    plane.set(xds::listener("plain", "one"));
    plane.set(xds::routes("one", &[("c", 1)]));
    for name in ["a", "b", "c"] {
        plane.set((xds::cluster(name), xds::endpoints(name, at)));
    }
    plane
}

fn policy() -> RouteBuilder {
    xds::split(&[("a", WEIGHTS[0]), ("b", WEIGHTS[1])])
        .max_stream_duration(Duration::from_secs(15))
        .retry(xds::retry("unavailable", 2))
}

/// `shop` with a route to each of so many clusters of so many endpoints, none of which is there, but
/// for the last cluster's, which takes every path. Prints the port of the control plane, and one that
/// tells what it has seen: requests, bytes received and bytes sent.
pub async fn serve_many(clusters: usize, endpoints: usize, at: SocketAddr) -> Result<()> {
    let plane = ControlPlane::start().await;
    let name = |number: usize| format!("cluster-{number:05}");
    let last = clusters - 1;
    let routes = (0..last).map(|number| xds::to(&name(number)).prefix(&format!("/{number}/")));
    let routes = routes.chain([xds::to(&name(last))]).collect::<Vec<_>>();
    let nowhere = |number: usize, place: usize| {
        let [.., high, low] = number.to_be_bytes();
        SocketAddr::from(([10, high, low, 1], 1000 + place as u16))
    };
    let addresses = (0..clusters).map(|number| {
        let addresses: Vec<_> = match number {
            _ if number == last => vec![at],
            _ => (0..endpoints).map(|place| nowhere(number, place)).collect(),
        };
        xds::endpoints(&name(number), &addresses)
    });
    plane.set((
        xds::listener("shop", "routes"),
        xds::route_config("routes").host(&["*"], routes),
        (0..clusters)
            .map(|number| xds::cluster(&name(number)).http2())
            .collect::<Vec<_>>(),
        addresses.collect::<Vec<_>>(),
    ));
    let (relay, counts) = (bind().await?, bind().await?);
    println!(
        "{} {}",
        relay.local_addr()?.port(),
        counts.local_addr()?.port()
    );
    let bytes = Arc::<Bytes>::default();
    tokio::spawn(relayed(relay, plane.socket(), Arc::clone(&bytes)));
    loop {
        let (mut asker, _) = counts.accept().await?;
        plane
            .wait_for("every client to know all", |plane| {
                knows_all(plane, clusters)
            })
            .await;
        let requests: u64 = KINDS.iter().map(|kind| plane.request_count(kind)).sum();
        let [up, down] = [&bytes.up, &bytes.down].map(|bytes| bytes.load(Relaxed));
        let said = format!("{requests} {up} {down}");
        asker.write_all(said.as_bytes()).await?;
    }
}

fn knows_all(plane: &ControlPlane, clusters: usize) -> bool {
    KINDS.iter().all(|kind| plane.is_acked(kind)) && plane.subscribed(EDS).len() == clusters
}

async fn bind() -> Result<TcpListener> {
    Ok(TcpListener::bind("127.0.0.1:0").await?)
}

/// Bytes between a control plane and its clients.
#[derive(Default)]
struct Bytes {
    up: AtomicU64,
    down: AtomicU64,
}

/// Stands between clients and `to`, and counts.
async fn relayed(listener: TcpListener, to: SocketAddr, bytes: Arc<Bytes>) -> Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        let server = TcpStream::connect(to).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (client, server) = (client.into_split(), server.into_split());
        let (up, down) = (Arc::clone(&bytes), Arc::clone(&bytes));
        tokio::spawn(async move { pump(client.0, server.1, &up.up).await });
        tokio::spawn(async move { pump(server.0, client.1, &down.down).await });
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    count: &AtomicU64,
) -> Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(to.shutdown().await?);
        }
        count.fetch_add(length as u64, Relaxed);
        to.write_all(&buffer[..length]).await?;
    }
}
