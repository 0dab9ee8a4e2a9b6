//! Proxies beside one another: nobody, a bare one of hyper, the sidecar and Envoy.

mod bare;
mod drive;
mod process;
mod servers;

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use tokio::net::TcpStream;

pub use self::{bare::serve as serve_bare, servers::serve as serve_behind};
use self::{drive::Caller, process::Proxy};
use crate::load::{Load, Of};

/// What is spoken on both sides of the proxy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// GET over HTTP/1.1, with an answer of 128 bytes.
    Http1,
    /// The same over HTTP/2.
    Http2,
    /// Unary gRPC calls of 100 bytes.
    Grpc,
}

impl Protocol {
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "http1" => Ok(Self::Http1),
            "http2" => Ok(Self::Http2),
            "grpc" => Ok(Self::Grpc),
            _ => anyhow::bail!("no protocol {name}"),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
            Self::Grpc => "grpc",
        }
    }

    /// How many requests a connection has under way.
    const fn streams(self) -> usize {
        match self {
            Self::Http1 => 1,
            Self::Http2 | Self::Grpc => 8,
        }
    }

    /// How many connections take turns at a fixed rate.
    const fn paced_connections(self) -> usize {
        match self {
            Self::Http1 => 16,
            Self::Http2 | Self::Grpc => 4,
        }
    }
}

/// What is behind the proxies: see [`servers`].
pub struct Behind {
    pub servers: Vec<SocketAddr>,
    pub ads: SocketAddr,
    /// Where Envoy listens.
    pub listener: SocketAddr,
}

/// Starts a proxy, asks it for `path` so often, and ends it. Prints what a request cost it in
/// nanoseconds; at a fixed rate, the median and the 99th percentile of the latency; milliseconds from
/// its start to the first answer; and the KiB of memory that it had before and after.
pub async fn measure(
    name: &str,
    protocol: Protocol,
    path: &str,
    behind: &Behind,
    load: &str,
    count: &str,
) -> Result<()> {
    let mut load = Load::parse(load, count)?;
    let proxy = Proxy::start(name, protocol, behind)?;
    let start = proxy.answers(protocol, path).await?;
    let idle = proxy.memory()?;
    load.of = proxy.id().map_or(Of::Nobody, Of::Process);
    let connections = match load.is_paced() {
        true => protocol.paced_connections(),
        false => load.in_flight.div_ceil(protocol.streams()),
    };
    let mut callers = Vec::new();
    for _ in 0..connections {
        callers.push(Caller::connect(proxy.at, protocol, path).await?);
    }
    let measured = match load.is_paced() {
        true => load.measure(drive::in_turn(callers)).await?,
        false => {
            let each = (0..load.in_flight).map(|index| callers[index % connections].clone());
            load.measure_each(each.map(drive::alone).collect()).await?
        }
    };
    let loaded = proxy.memory()?;
    proxy.end().await?;
    println!("{} {idle} {loaded} {measured}", start.as_millis());
    Ok(())
}

/// Starts a proxy and holds so many connections over HTTP/1.1, with a request under way on each, so
/// that each has one to a server. Prints by how many KiB the proxy has grown.
pub async fn connections(name: &str, behind: &Behind, count: usize) -> Result<()> {
    let proxy = Proxy::start(name, Protocol::Http1, behind)?;
    proxy.answers(Protocol::Http1, "/").await?;
    let before = proxy.memory()?;
    let mut callers = Vec::new();
    for _ in 0..count {
        callers.push(Caller::connect(proxy.at, Protocol::Http1, servers::SLOW).await?);
    }
    let asked = callers
        .iter()
        .map(|caller| tokio::spawn(caller.clone().call()));
    for asked in asked.collect::<Vec<_>>() {
        asked.await??;
    }
    let after = proxy.memory()?;
    // Until now all of them have been open.
    drop(callers);
    proxy.end().await?;
    println!("{} 0.00", after.saturating_sub(before));
    Ok(())
}

impl Behind {
    /// Ports of the servers, of the control plane and of Envoy's listener.
    pub fn parse(servers: &str, ads: &str, listener: &str) -> Result<Self> {
        let servers = servers.split(',').map(crate::local).collect::<Result<_>>();
        Ok(Self {
            servers: servers.context("SERVER-PORTS")?,
            ads: crate::local(ads).context("ADS-PORT")?,
            listener: crate::local(listener).context("LISTENER-PORT")?,
        })
    }
}

async fn connect(at: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

type Shared<T> = Arc<tokio::sync::Mutex<T>>;
