//! Targets that are host names: `dns:///shop.test:80`.

mod follow;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use mesh_core::{
    name::{ClusterName, Target},
    source::{ConfigSource, ConfigUpdate, ConfigWatch},
    target::TargetUri,
};
use tokio::sync::watch;

use self::follow::Following;
use super::{DirectConfig, Resolve, SystemResolver, direct};
use crate::connect::Executor;

/// Serves targets of the form `dns:///host:port`: all addresses of the host are endpoints of equal
/// weight.
///
/// A name is resolved when it is first watched, and again after an endpoint could not be connected
/// to, but not within 30 s of the last answer (gRPC's DNS resolver). A resolver that fails is asked
/// again, after 1 s at first and 120 s at most: until its first answer requests fail with its error,
/// afterwards the last addresses stay in force.
pub struct DnsSource {
    config: DirectConfig,
    executor: Executor,
    resolver: Arc<dyn Resolve>,
    // Cold path: locked when a target is first watched and when a connection fails.
    subscriptions: Mutex<HashMap<Target, Weak<Subscription>>>,
}

/// Lives as long as a watch of its target, and the following of the target with it.
struct Subscription {
    updates: watch::Receiver<ConfigUpdate>,
    failed: watch::Sender<()>,
}

impl DnsSource {
    /// A source whose targets are spoken to as `config` says. Names are resolved on `executor`, by
    /// one future a target, which ends with the target's last watch.
    #[must_use]
    pub fn new(config: DirectConfig, executor: Executor) -> Self {
        Self {
            config,
            executor,
            resolver: Arc::new(SystemResolver),
            subscriptions: Mutex::default(),
        }
    }

    /// With another resolver than the system's.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    fn subscription(&self, target: &Target, host: Arc<str>, port: u16) -> Arc<Subscription> {
        // A panic while the lock was held cannot have left the map half-changed.
        let mut live = self
            .subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(subscription) = live.get(target).and_then(Weak::upgrade) {
            return subscription;
        }
        // Targets come and go; what nobody watches is forgotten when the next one comes.
        live.retain(|_, subscription| subscription.strong_count() > 0);
        let missing = format!("waiting for the addresses of {host}");
        let (sender, updates) = watch::channel(ConfigUpdate::Pending(missing.into()));
        let (failed, failures) = watch::channel(());
        let following = Following {
            target: target.clone(),
            host,
            port,
            config: self.config,
            resolver: Arc::clone(&self.resolver),
            updates: sender,
        };
        self.executor.spawn(following.run(failures));
        let subscription = Arc::new(Subscription { updates, failed });
        live.insert(target.clone(), Arc::downgrade(&subscription));
        subscription
    }
}

impl ConfigSource for DnsSource {
    fn watch(&self, target: &Target) -> ConfigWatch {
        match TargetUri::parse(target.as_str()) {
            Ok(TargetUri::Dns { host, port }) => {
                let subscription = self.subscription(target, host, port);
                ConfigWatch::new(subscription.updates.clone(), Some(subscription))
            }
            Ok(_) => direct::absent(format!("target {target:?} is not of the scheme dns")),
            Err(error) => direct::absent(error.to_string()),
        }
    }

    fn connection_failed(&self, cluster: &ClusterName) {
        let live = self
            .subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // The cluster of a target bears its name.
        if let Some(subscription) = live.get(cluster.as_str()).and_then(Weak::upgrade) {
            subscription.failed.send_replace(());
        }
    }
}

impl fmt::Debug for DnsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsSource")
            .field("config", &self.config)
            .field("resolver", &self.resolver)
            .finish_non_exhaustive()
    }
}
