//! Measures the mesh beside its peers; `benches/run` calls it.
//!
//! Each call measures one thing, so that callgrind can watch it alone:
//!
//! - `decision NAME ROUTES ENDPOINTS LB COUNT`: decides so often and prints nanoseconds each;
//! - `server`: serves, and prints its ports: three for gRPC, one for HTTP, one of a control plane;
//! - `client NAME GRPC-PORTS HTTP-PORT ADS-PORT LOAD COUNT`: calls so often and prints the CPU
//!   nanoseconds per call. LOAD is `64` (calls in flight), `64x2` (on two threads) or `2000/s`
//!   (whatever is in flight; then the median and the 99th percentile of the latency follow);
//! - `feature NAME COUNT`: calls so often over connections in memory, with one thing on, and prints
//!   nanoseconds each;
//! - `swap KIND COUNT`: publishes so often and prints nanoseconds each;
//! - `readers KIND WRITER COUNT`: decides so often while a writer publishes, and prints the median,
//!   the 99.9th percentile and the longest in nanoseconds, and how often was published;
//! - `plane CLUSTERS ENDPOINTS GRPC-PORT`: a control plane; prints its port and that of its counts;
//! - `start-up NAME ADS-PORT COUNTS-PORT`: starts a client, makes a call, and prints what that took;
//! - `behind PROTOCOL ROUTES CLUSTERS`: what is behind proxies: three servers and a control plane with
//!   a table of so many routes, to so many other clusters of ten endpoints; prints the servers' ports,
//!   that of the control plane and the one that Envoy is to listen at;
//! - `bare PROTOCOL SERVER-PORTS`: a proxy of hyper's parts;
//! - `proxy NAME PROTOCOL PATH SERVER-PORTS ADS-PORT LISTENER-PORT LOAD COUNT`: starts a proxy and asks
//!   it so often; prints milliseconds from its start to the first answer, KiB of its memory before and
//!   after, and the rest as `client` does, with the CPU nanoseconds of the proxy;
//! - `connections NAME SERVER-PORTS ADS-PORT LISTENER-PORT COUNT`: the KiB by which a proxy grows that
//!   has so many clients with a request each;
//! - `stalls`: notices whenever this core stands still, and prints the port to ask about it.
//!
//! The last word of each measurement is the share of its time in which the machine stood still, in
//! percent.

mod clients;
mod decide;
mod features;
mod load;
mod plane;
mod proxy;
mod server;
mod stall;
mod start_up;
mod swap;

use std::{future::Future, net::SocketAddr};

use anyhow::{Context, Result, bail};
use tokio::runtime::Builder;

use crate::{
    clients::World,
    load::Load,
    proxy::{Behind, Protocol},
};

fn main() -> Result<()> {
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
        ["server"] => one_thread(server::run()),
        ["client", name, grpc, http, ads, load, count] => {
            let grpc = grpc.split(',').map(local).collect::<Result<_>>();
            let world = World {
                grpc: grpc.context("GRPC-PORTS")?,
                http: local(http).context("HTTP-PORT")?,
                ads: local(ads).context("ADS-PORT")?,
                load: Load::parse(load, count)?,
            };
            match world.load.threads {
                1 => one_thread(clients::run(name, &world)),
                threads => Builder::new_multi_thread()
                    .worker_threads(threads)
                    .enable_all()
                    .build()?
                    .block_on(clients::run(name, &world)),
            }
        }
        ["feature", name, count] => one_thread(features::run(name, count.parse()?)),
        ["swap", kind, count] => swap::publish(kind, count.parse()?),
        ["readers", kind, writer, count] => swap::read(kind, writer, count.parse()?),
        ["plane", clusters, endpoints, grpc] => one_thread(plane::serve_many(
            clusters.parse()?,
            endpoints.parse()?,
            local(grpc)?,
        )),
        ["start-up", name, ads, counts] => {
            one_thread(start_up::run(name, local(ads)?, local(counts)?))
        }
        ["behind", protocol, routes, clusters] => one_thread(proxy::serve_behind(
            Protocol::parse(protocol)?,
            routes.parse()?,
            clusters.parse()?,
        )),
        ["bare", protocol, servers] => {
            let servers: Vec<_> = servers.split(',').map(local).collect::<Result<_>>()?;
            one_thread(proxy::serve_bare(Protocol::parse(protocol)?, &servers))
        }
        [
            "proxy",
            name,
            protocol,
            path,
            servers,
            ads,
            listener,
            load,
            count,
        ] => {
            let behind = Behind::parse(servers, ads, listener)?;
            let protocol = Protocol::parse(protocol)?;
            one_thread(proxy::measure(name, protocol, path, &behind, load, count))
        }
        ["connections", name, servers, ads, listener, count] => {
            let behind = Behind::parse(servers, ads, listener)?;
            one_thread(proxy::connections(name, &behind, count.parse()?))
        }
        ["stalls"] => stall::watch(),
        _ => bail!("see the head of main.rs for the arguments"),
    }
}

fn one_thread(run: impl Future<Output = Result<()>>) -> Result<()> {
    Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run)
}

fn local(port: &str) -> Result<SocketAddr> {
    Ok(([127, 0, 0, 1], port.parse()?).into())
}
