//! The client as a source of configuration: one stream, however many targets.

mod numbers;
mod registry;
mod shared;
mod status;

use std::{
    fmt,
    sync::{Arc, Weak},
};

use mesh_core::{
    name::Target,
    observe::ControlPlane,
    source::{ConfigSource, ConfigUpdate, ConfigWatch},
};
use tokio::sync::watch;

use self::numbers::Numbers;
pub(crate) use self::shared::{Handle, Shared};
pub use self::status::{ResourceStatus, XdsStatus};
use crate::{
    bootstrap::Bootstrap,
    driver::{Client, Connector, Decoder, XdsDriver, XdsOptions},
    protocol::{AdsConfig, AdsState, Variant},
};

/// Configuration from a control plane. Clones are handles on one client with one stream.
///
/// Watches of one target share a subscription, which ends with the last of them.
#[derive(Clone)]
pub struct XdsSource {
    bootstrap: Arc<Bootstrap>,
    handle: Arc<Handle>,
}

/// A handle that does not keep its client.
#[derive(Clone)]
pub struct WeakXdsSource {
    bootstrap: Arc<Bootstrap>,
    handle: Weak<Handle>,
}

impl XdsSource {
    /// A source for the control planes of a bootstrap, reached through `connector`, and the driver
    /// that feeds it. Nothing is dialled until the driver runs and a target is watched.
    pub fn new(
        bootstrap: Bootstrap,
        connector: impl Connector,
        options: XdsOptions,
    ) -> (Self, XdsDriver) {
        let bootstrap = Arc::new(bootstrap);
        let providers = bootstrap.certificate_providers.keys().cloned();
        let decode = options.decode.with_certificate_providers(providers);
        let first = bootstrap.servers().first();
        let features = first.map(|server| server.features).unwrap_or_default();
        let variant = options.variant.unwrap_or(match features.delta {
            true => Variant::Delta,
            false => Variant::Sotw,
        });
        let config = AdsConfig {
            variant,
            node: bootstrap.node.to_proto(),
            features,
            dialect: decode.dialect(),
            limits: options.limits,
            seed: options.seed,
        };
        let ads = AdsState::new(config, Decoder(decode));
        let shared = Arc::new(Shared::new(Client::new(Arc::clone(&bootstrap), ads)));
        let handle = Arc::new(Handle(Arc::clone(&shared)));
        let driver = XdsDriver::new(
            Arc::clone(&bootstrap),
            shared,
            Arc::downgrade(&handle),
            connector,
            variant,
            options.max_message_size,
        );
        (Self { bootstrap, handle }, driver)
    }

    /// What is known of every resource subscribed to, and of the connection.
    #[must_use]
    pub fn status(&self) -> XdsStatus {
        self.handle.0.with_client(|client| XdsStatus::of(client))
    }
}

impl XdsSource {
    /// A handle that does not keep the client.
    #[must_use]
    pub fn downgrade(&self) -> WeakXdsSource {
        WeakXdsSource {
            bootstrap: Arc::clone(&self.bootstrap),
            handle: Arc::downgrade(&self.handle),
        }
    }

    /// What is counted, for observers. It does not keep the client.
    #[must_use]
    pub fn numbers(&self) -> Arc<dyn ControlPlane> {
        Arc::new(Numbers(Arc::downgrade(&self.handle.0)))
    }
}

impl WeakXdsSource {
    /// The source, as long as anybody holds or watches it and its driver has not ended.
    #[must_use]
    pub fn upgrade(&self) -> Option<XdsSource> {
        let handle = self.handle.upgrade()?;
        let ended = handle.0.with_registry(|registry| registry.is_closed());
        (!ended).then(|| XdsSource {
            bootstrap: Arc::clone(&self.bootstrap),
            handle,
        })
    }
}

impl ConfigSource for XdsSource {
    fn watch(&self, target: &Target) -> ConfigWatch {
        match self.bootstrap.listener_name(target) {
            Ok(listener) => registry::watch(&self.handle, listener.as_str()),
            Err(error) => {
                let text = format!("target {target:?}: {error}");
                let (_, updates) = watch::channel(ConfigUpdate::Absent(text.into()));
                ConfigWatch::new(updates, None)
            }
        }
    }
}

impl fmt::Debug for XdsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XdsSource")
            .field("servers", &self.bootstrap.servers())
            .field("node", &self.bootstrap.node.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WeakXdsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakXdsSource")
            .field("servers", &self.bootstrap.servers())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
