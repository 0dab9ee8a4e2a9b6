//! Measures the mesh beside its peers; `benches/run` calls it.
//!
//! Each call measures one thing, so that callgrind can watch it alone:
//!
//! - `decision NAME ROUTES ENDPOINTS LB COUNT`: decides so often and prints nanoseconds each;
//! - `server`: serves, and prints its ports;
//! - `client NAME GRPC-PORTS HTTP-PORT IN-FLIGHT COUNT`: calls so often and prints the process's CPU
//!   nanoseconds per call.

mod clients;
mod decide;
mod load;
mod server;

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["decision", name, routes, endpoints, lb, count] => decide::run(
            name,
            routes.parse()?,
            endpoints.parse()?,
            lb,
            count.parse()?,
        ),
        ["server"] => server::run().await,
        ["client", name, grpc, http, in_flight, count] => {
            let grpc: Result<Vec<u16>, _> = grpc.split(',').map(str::parse).collect();
            let grpc = grpc.context("GRPC-PORTS")?.into_iter().map(local);
            let world = clients::World {
                grpc: grpc.collect(),
                http: local(http.parse().context("HTTP-PORT")?),
                in_flight: in_flight.parse().context("IN-FLIGHT")?,
                count: count.parse().context("COUNT")?,
            };
            clients::run(name, &world).await
        }
        _ => bail!("see the head of main.rs for the arguments"),
    }
}

fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}
