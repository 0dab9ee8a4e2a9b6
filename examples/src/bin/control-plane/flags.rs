//! What is published, as flags.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

use clap::Parser;

/// Serves one listener with weighted clusters, and takes new weights from standard input.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:18000")]
    pub(crate) listen: SocketAddr,
    /// The listener's name: clients call `xds:///<name>`.
    #[arg(long, default_value = "greeter")]
    pub(crate) listener: String,
    /// Weighted clusters, for example `v1=90,v2=10`.
    #[arg(long, required = true, value_delimiter = ',', value_parser = weight)]
    pub(crate) route: Vec<Weight>,
    /// Endpoints, for example `v1=127.0.0.1:5001,v2=127.0.0.1:5002`. A cluster may have several.
    #[arg(long, required = true, value_delimiter = ',', value_parser = endpoint)]
    pub(crate) endpoints: Vec<Endpoint>,
    /// Let HTTP clients speak HTTP/1.1 to the endpoints instead of HTTP/2.
    #[arg(long)]
    pub(crate) http1: bool,
    /// Write the bootstrap for clients to this file instead of standard output.
    #[arg(long)]
    pub(crate) bootstrap: Option<PathBuf>,
}

/// A cluster's share of the requests.
#[derive(Clone, Debug)]
pub(crate) struct Weight {
    pub(crate) cluster: String,
    pub(crate) weight: u32,
}

/// An endpoint of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) cluster: String,
    pub(crate) address: SocketAddr,
}

impl Args {
    /// Whether everything in the route has endpoints and a share.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.listen.ip().is_unspecified(),
            "--listen: {} is no address that clients could connect to",
            self.listen
        );
        self.known(&self.route)
            .map_err(|why| anyhow::anyhow!("--route: {why}"))
    }

    /// Whether these weights can be published: each cluster has endpoints, and one has a share.
    pub(crate) fn known(&self, weights: &[Weight]) -> Result<(), String> {
        let clusters = self.clusters();
        for of in weights {
            if !clusters.contains(of.cluster.as_str()) {
                return Err(format!("cluster {:?} has no --endpoints", of.cluster));
            }
        }
        if weights.iter().all(|of| of.weight == 0) {
            return Err("all weights are zero".to_owned());
        }
        Ok(())
    }

    /// The clusters that have endpoints.
    pub(crate) fn clusters(&self) -> BTreeSet<&str> {
        let named = self.endpoints.iter().map(|of| of.cluster.as_str());
        named.collect()
    }
}

/// Reads a line of weights.
pub(crate) fn weights(line: &str) -> Result<Vec<Weight>, String> {
    line.split(',').map(weight).collect()
}

fn weight(text: &str) -> Result<Weight, String> {
    let (cluster, weight) = named(text, "v1=90")?;
    let weight = weight
        .parse()
        .map_err(|why| format!("{text:?}: the weight {weight:?}: {why}"))?;
    Ok(Weight { cluster, weight })
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let (cluster, address) = named(text, "v1=127.0.0.1:5001")?;
    let address = address
        .parse()
        .map_err(|why| format!("{text:?}: the address {address:?}: {why}"))?;
    Ok(Endpoint { cluster, address })
}

fn named<'t>(text: &'t str, like: &str) -> Result<(String, &'t str), String> {
    match text.trim().split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value)),
        _ => Err(format!("{text:?} is not of the form {like}")),
    }
}
