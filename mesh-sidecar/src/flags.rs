//! The command line.

use std::{net::SocketAddr, num::NonZero, path::PathBuf, thread, time::Duration};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use mesh::{Bootstrap, Dialect};
use tracing_subscriber::filter::Targets;

const TEACHING: &str = "\
Every request that arrives at ADDRESS, over HTTP/1.1 or HTTP/2 without TLS, is routed by the xDS \
Listener LISTENER: the request's authority chooses the virtual host, its path and headers the route. \
The Listener's HTTP connection manager may stand in its api_listener or in its only filter chain; \
its own address is not used.

Example:
  GRPC_XDS_BOOTSTRAP=bootstrap.json mesh-sidecar \\
      --listen 127.0.0.1:15001=outbound --admin 127.0.0.1:15000
  curl -H 'host: shop.test' http://127.0.0.1:15001/orders
  curl 'http://127.0.0.1:15000/explain?authority=shop.test&path=/orders'
  curl http://127.0.0.1:15000/metrics

At SIGTERM or SIGINT /ready says no, clients are told to go elsewhere, requests under way are \
answered, and the program ends with status 0. Wrong flags and a wrong bootstrap end it with status 2.";

/// Puts the mesh behind a socket: requests that programs send here go where the control plane says.
#[derive(Debug, Parser)]
#[command(name = "mesh-sidecar", version, after_help = TEACHING)]
pub(crate) struct Flags {
    /// The gRPC bootstrap file. Default: the file that GRPC_XDS_BOOTSTRAP names, or the JSON in
    /// GRPC_XDS_BOOTSTRAP_CONFIG.
    #[arg(long, value_name = "FILE")]
    bootstrap: Option<PathBuf>,
    /// Where to listen, and the xDS Listener that routes what arrives there. May be repeated.
    #[arg(long, value_name = "ADDRESS=LISTENER", required = true)]
    listen: Vec<Listen>,
    /// Where to answer /ready, /live, /metrics (for Prometheus), /config_dump, /clusters and /explain.
    /// Default: nowhere, and then nothing is counted.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// How many threads serve, each with its own connections. Default: one for each core.
    #[arg(long, value_name = "N")]
    workers: Option<NonZero<usize>>,
    /// Whose reading of the resources applies where gRPC and Envoy differ.
    #[arg(long, value_enum, default_value_t = DialectFlag::Envoy)]
    dialect: DialectFlag,
    /// How many seconds requests under way may take to end after SIGTERM.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain_timeout: u32,
    /// What is logged to standard error: off, error, warn, info, debug or trace, for some targets
    /// another. Each request has a line at debug of the target mesh::access.
    #[arg(long, value_name = "LEVEL[,TARGET=LEVEL..]", default_value = "info")]
    pub(crate) log_level: Targets,
}

/// Where to listen, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    pub(crate) listener: String,
}

/// [`Dialect`] as a flag.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DialectFlag {
    Envoy,
    Grpc,
}

/// What the flags come to.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) bootstrap: Bootstrap,
    pub(crate) dialect: Dialect,
    pub(crate) listen: Vec<Listen>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) workers: NonZero<usize>,
    pub(crate) drain_timeout: Duration,
}

impl Flags {
    /// Reads what the flags name.
    pub(crate) fn setup(&self) -> anyhow::Result<Setup> {
        let bootstrap = match &self.bootstrap {
            Some(file) => Bootstrap::from_file(file).context("--bootstrap")?,
            None => Bootstrap::from_env()?,
        };
        let cores = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        Ok(Setup {
            bootstrap,
            dialect: match self.dialect {
                DialectFlag::Envoy => Dialect::Envoy,
                DialectFlag::Grpc => Dialect::Grpc,
            },
            listen: self.listen.clone(),
            admin: self.admin,
            workers: self.workers.unwrap_or_else(cores),
            drain_timeout: Duration::from_secs(self.drain_timeout.into()),
        })
    }
}

impl std::str::FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, listener) = text
            .split_once('=')
            .filter(|(_, listener)| !listener.is_empty())
            .ok_or("is not of the form ADDRESS=LISTENER, as 127.0.0.1:15001=outbound")?;
        Ok(Self {
            address: address
                .parse()
                .map_err(|_| format!("{address:?} is no address, as 127.0.0.1:15001"))?,
            listener: listener.to_owned(),
        })
    }
}
