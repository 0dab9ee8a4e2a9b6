//! From a host's name to its addresses.

use std::{fmt, future::Future, io, net::SocketAddr, pin::Pin};

/// What a resolver gives.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Finds the addresses of hosts.
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// Begins to look for the addresses of `host`, a name or an IP address without brackets, each
    /// with this port. Both families, in any order. None is an error like any other.
    fn resolve(&self, host: &str, port: u16) -> Resolving;
}

/// The system's resolver (`getaddrinfo`), on tokio's threads for blocking work.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> Resolving {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            Ok(found.collect())
        })
    }
}
