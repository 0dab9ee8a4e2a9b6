//! Following one name.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use mesh_core::{
    config::{Address, ClusterEntry, ConfigErrors, Discovery, EndpointsConfig, Snapshot},
    name::Target,
    policy::backoff::connection_delay,
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
                    sleep(connection_delay(failed, fastrand::u64(..))).await;
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
    let mut snapshot = snapshot.clone();
    let endpoints = Arc::new(endpoints);
    let names: Vec<_> = snapshot.clusters.keys().cloned().collect();
    for name in names {
        if let Some(ClusterEntry::Ready(cluster)) = snapshot.clusters.get_mut(name.as_str()) {
            cluster.endpoints = Arc::clone(&endpoints);
        }
    }
    snapshot
}
