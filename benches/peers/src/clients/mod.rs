//! The clients that are compared.

mod grpc;
mod http1;
mod raw;

use std::net::SocketAddr;

use anyhow::{Result, bail};

/// Where the servers are, and how they are called.
pub struct World {
    pub grpc: Vec<SocketAddr>,
    pub http: SocketAddr,
    pub in_flight: usize,
    pub count: usize,
}

/// Calls by the client of that name; prints CPU nanoseconds per call.
pub async fn run(name: &str, world: &World) -> Result<()> {
    let one = &world.grpc[..1];
    let three = &world.grpc[..];
    let spent = match name {
        "h2" => raw::h2(world).await?,
        "tonic-1" => grpc::tonic(world, one, 1).await?,
        "tonic-3" => grpc::tonic(world, three, 1).await?,
        "tonic-6" => grpc::tonic(world, three, 2).await?,
        "mesh-1" => grpc::plain(world, one).await?,
        "mesh-3" => grpc::plain(world, three).await?,
        "mesh-6-full" => grpc::full(world, three).await?,
        "http1-raw" => http1::raw(world).await?,
        "http1-legacy" => http1::legacy(world).await?,
        "http1-mesh" => http1::mesh(world).await?,
        _ => bail!("no client of the name {name}"),
    };
    println!("{spent:.0}");
    Ok(())
}
