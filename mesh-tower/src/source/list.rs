//! Targets that are addresses themselves: `ipv4:`, `ipv6:` and `unix:` (gRPC, "name resolution").

use std::sync::Arc;

use mesh_core::{
    config::{Address, Discovery, EndpointsConfig},
    name::Target,
    source::{ConfigSource, ConfigUpdate, ConfigWatch},
    target::TargetUri,
};

use super::{DirectConfig, direct};

/// Serves targets that list their addresses, as `ipv4:10.0.0.1:80,10.0.0.2:80`, `ipv6:[::1]:80` and
/// `unix:///run/app.sock`. All addresses are endpoints of equal weight.
#[derive(Clone, Debug)]
pub struct ListSource {
    config: DirectConfig,
}

impl ListSource {
    /// A source whose targets are spoken to like this.
    #[must_use]
    pub const fn new(config: DirectConfig) -> Self {
        Self { config }
    }

    fn read(&self, target: &Target) -> Result<ConfigUpdate, String> {
        let addresses = match TargetUri::parse(target.as_str()) {
            Ok(TargetUri::Unix(path)) => vec![Address::Unix(path)],
            Ok(TargetUri::List(list)) => list.into_iter().map(Address::Socket).collect(),
            Ok(_) => return Err(format!("target {target:?} lists no addresses")),
            Err(error) => return Err(error.to_string()),
        };
        let endpoints = EndpointsConfig::of(addresses);
        let discovery = Discovery::Static(Arc::new(endpoints.clone()));
        let snapshot = self.config.snapshot(target, discovery, endpoints);
        let snapshot = snapshot.map_err(|errors| errors.to_string())?;
        Ok(ConfigUpdate::Ready(Arc::new(snapshot)))
    }
}

impl ConfigSource for ListSource {
    fn watch(&self, target: &Target) -> ConfigWatch {
        self.read(target)
            .map_or_else(direct::absent, direct::settled)
    }
}
