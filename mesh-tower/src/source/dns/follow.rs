//! Following one name.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use mesh_core::{
    config::{Address, ClusterEntry, ConfigErrors, Discovery, EndpointsConfig, Snapshot},
    name::Target,
    source::ConfigUpdate,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tracing::{debug, warn};

use super::super::{DirectConfig, Resolve};

/// How old an answer is at least before the name is resolved again (gRPC's DNS resolver).
const MIN_AGE: Duration = Duration::from_secs(30);

/// The wait after the first of several failures, how it grows, its bound and its spread (gRPC's
/// connection back-off, which its resolvers share).
const BACKOFF: Duration = Duration::from_secs(1);
const BACKOFF_FACTOR: f64 = 1.6;
const BACKOFF_MAX: Duration = Duration::from_secs(120);
const BACKOFF_JITTER: f64 = 0.2;

/// Resolves one name for as long as somebody watches.
pub(super) struct Following {
    pub(super) target: Target,
    pub(super) host: Arc<str>,
    pub(super) port: u16,
    pub(super) config: DirectConfig,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) updates: watch::Sender<ConfigUpdate>,
}

/// What is in force.
struct Current {
    addresses: Vec<SocketAddr>,
    snapshot: Arc<Snapshot>,
}

impl Following {
    /// Ends when nobody watches any more, whatever is under way.
    pub(super) async fn run(self, failures: watch::Receiver<()>) {
        tokio::select! {
            () = self.updates.closed() => {}
            () = self.keep_resolved(failures) => {}
        }
    }

    async fn keep_resolved(&self, mut failures: watch::Receiver<()>) {
        let mut current = None;
        let mut failed: u32 = 0;
        loop {
            // A failure from here on may be one of addresses that the answer does not change.
            failures.mark_unchanged();
            match self.resolve().await {
                Ok(addresses) => {
                    let resolved = Instant::now();
                    failed = 0;
                    self.apply(&mut current, addresses);
                    if failures.changed().await.is_err() {
                        return;
                    }
                    sleep_until(resolved + MIN_AGE).await;
                }
                Err(error) => {
                    self.report(current.is_some(), &error);
                    sleep(backoff(failed, fastrand::f64())).await;
                    failed = failed.saturating_add(1);
                }
            }
        }
    }

    /// The addresses in an order of their own: resolvers rotate theirs, which is no change.
    async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let mut addresses = self.resolver.resolve(&self.host, self.port).await?;
        if addresses.is_empty() {
            return Err(io::Error::other("the name has no address"));
        }
        addresses.sort_unstable();
        addresses.dedup();
        Ok(addresses)
    }

    /// Puts the addresses in force, unless they are.
    fn apply(&self, current: &mut Option<Current>, addresses: Vec<SocketAddr>) {
        if matches!(current, Some(current) if current.addresses == addresses) {
            return;
        }
        debug!(target = %self.target, ?addresses, "the name has other addresses");
        let endpoints = EndpointsConfig::of(addresses.iter().copied().map(Address::Socket));
        let snapshot = match current {
            // The rest stays what it is, and by that readers know that it did not change.
            Some(current) => Ok(with_endpoints(&current.snapshot, endpoints)),
            None => self.build(endpoints),
        };
        match snapshot.map(Arc::new) {
            Ok(snapshot) => {
                self.updates
                    .send_replace(ConfigUpdate::Ready(Arc::clone(&snapshot)));
                *current = Some(Current {
                    addresses,
                    snapshot,
                });
            }
            Err(errors) => {
                let text = errors.to_string();
                self.updates.send_replace(ConfigUpdate::Absent(text.into()));
            }
        }
    }

    fn build(&self, endpoints: EndpointsConfig) -> Result<Snapshot, ConfigErrors> {
        let hosts = vec![(Arc::clone(&self.host), self.port)];
        let discovery = Discovery::Dns {
            hosts,
            logical: false,
        };
        self.config.snapshot(&self.target, discovery, endpoints)
    }

    /// Fails requests, unless there are addresses already.
    fn report(&self, resolved_before: bool, error: &io::Error) {
        warn!(target = %self.target, %error, "the name cannot be resolved");
        if !resolved_before {
            let text = format!("no address for {}: {error}", self.host);
            self.updates.send_replace(ConfigUpdate::Absent(text.into()));
        }
    }
}

fn with_endpoints(snapshot: &Snapshot, endpoints: EndpointsConfig) -> Snapshot {
    let mut clusters = (*snapshot.clusters).clone();
    let endpoints = Arc::new(endpoints);
    for entry in clusters.values_mut() {
        if let ClusterEntry::Ready(cluster) = entry {
            cluster.endpoints = Arc::clone(&endpoints);
        }
    }
    Snapshot {
        clusters: Arc::new(clusters),
        ..snapshot.clone()
    }
}

/// The wait after a failure that follows `failed` others; `unit` is random in `[0, 1)`.
fn backoff(failed: u32, unit: f64) -> Duration {
    let exponent = i32::try_from(failed.min(64)).unwrap_or(64);
    let nominal = BACKOFF.as_secs_f64() * BACKOFF_FACTOR.powi(exponent);
    let spread = 1.0 - BACKOFF_JITTER + 2.0 * BACKOFF_JITTER * unit;
    Duration::from_secs_f64(nominal.min(BACKOFF_MAX.as_secs_f64()) * spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_are_spread() {
        for (failed, seconds) in [
            (0, 1.0),
            (1, 1.6),
            (2, 2.56),
            (50, 120.0),
            (u32::MAX, 120.0),
        ] {
            let middle = backoff(failed, 0.5).as_secs_f64();
            assert!((middle - seconds).abs() < 1e-6, "after {failed}: {middle}");
            let (low, high) = (backoff(failed, 0.0), backoff(failed, 1.0));
            assert!((low.as_secs_f64() - 0.8 * seconds).abs() < 1e-6);
            assert!((high.as_secs_f64() - 1.2 * seconds).abs() < 1e-6);
        }
    }
}
