//! The clients that are compared.

pub mod framed;
mod grpc;
mod http1;
mod raw;
mod xds;

use std::net::SocketAddr;

use anyhow::{Result, bail};

use crate::load::Load;

pub use self::grpc::echo;

/// Where the servers are, and how they are called.
pub struct World {
    pub grpc: Vec<SocketAddr>,
    pub http: SocketAddr,
    pub ads: SocketAddr,
    pub load: Load,
}

/// Calls by the client of that name; prints what was measured.
pub async fn run(name: &str, world: &World) -> Result<()> {
    let one = &world.grpc[..1];
    let three = &world.grpc[..];
    let measured = match name {
        "h2" => raw::h2(world).await?,
        "hyper" => raw::hyper(world).await?,
        "tonic-1" => grpc::tonic(world, one, 1).await?,
        "tonic-3" => grpc::tonic(world, three, 1).await?,
        "tonic-6" => grpc::tonic(world, three, 2).await?,
        "mesh-1" => grpc::mesh(world, one).await?,
        "mesh-3" => grpc::mesh(world, three).await?,
        "mesh-6-full" => xds::mesh(world).await?,
        "tonic-xds-3" => xds::tonic(world, "plain").await?,
        "tonic-xds-6-full" => xds::tonic(world, "shop").await?,
        "http1-raw" => http1::raw(world).await?,
        "http1-legacy" => http1::legacy(world).await?,
        "http1-mesh" => http1::mesh(world).await?,
        _ => bail!("no client of the name {name}"),
    };
    println!("{measured}");
    Ok(())
}
