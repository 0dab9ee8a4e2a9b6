//! One source for every kind of target.

use std::sync::Arc;

use mesh_core::{
    name::{ClusterName, Target},
    source::{ConfigSource, ConfigWatch},
    target::TargetUri,
};

use super::{DirectConfig, DnsSource, ListSource, Resolve, direct};
use crate::connect::Executor;

/// Why targets of xDS cannot be served, unless there is something better to say.
const NO_BOOTSTRAP: &str =
    "no xDS bootstrap: set GRPC_XDS_BOOTSTRAP to a file or GRPC_XDS_BOOTSTRAP_CONFIG to its text";

/// Asks the source that a target's scheme calls for: `dns:` the resolver, `unix:`, `ipv4:` and
/// `ipv6:` nobody, and `xds:` the control plane. A bare name is one of xDS; a bare name that begins
/// like another scheme must be written `xds:///name`.
#[derive(Debug)]
pub struct Sources {
    dns: DnsSource,
    lists: ListSource,
    xds: Result<Arc<dyn ConfigSource>, Arc<str>>,
}

impl Sources {
    /// Everything but xDS. Targets without a control plane are spoken to as `config` says, and names
    /// are resolved on `executor`.
    #[must_use]
    pub fn new(config: DirectConfig, executor: Executor) -> Self {
        Self {
            dns: DnsSource::new(config, executor),
            lists: ListSource::new(config),
            xds: Err(NO_BOOTSTRAP.into()),
        }
    }

    /// With a control plane.
    #[must_use]
    pub fn xds(mut self, source: impl ConfigSource) -> Self {
        self.xds = Ok(Arc::new(source));
        self
    }

    /// Without a control plane, for this reason.
    #[must_use]
    pub fn without_xds(mut self, reason: &str) -> Self {
        self.xds = Err(reason.into());
        self
    }

    /// With another resolver than the system's.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.dns = self.dns.resolver(resolver);
        self
    }

    fn watch_xds(&self, target: &Target) -> ConfigWatch {
        match &self.xds {
            Ok(source) => source.watch(target),
            Err(reason) => direct::absent(format!("target {target:?}: {reason}")),
        }
    }
}

impl ConfigSource for Sources {
    fn watch(&self, target: &Target) -> ConfigWatch {
        match TargetUri::parse(target.as_str()) {
            Ok(TargetUri::Dns { .. }) => self.dns.watch(target),
            Ok(TargetUri::Unix(_) | TargetUri::List(_)) => self.lists.watch(target),
            Ok(TargetUri::Xds { .. }) => self.watch_xds(target),
            Err(_) if is_bare(target.as_str()) => self.watch_xds(target),
            Err(error) => direct::absent(error.to_string()),
        }
    }

    fn connection_failed(&self, cluster: &ClusterName) {
        self.dns.connection_failed(cluster);
        if let Ok(xds) = &self.xds {
            xds.connection_failed(cluster);
        }
    }
}

/// Whether a text that is no URI may be a name of xDS: `greeter:8080` is, `dns:8080` is a mistake.
fn is_bare(text: &str) -> bool {
    let known = ["xds", "dns", "unix", "ipv4", "ipv6"];
    match text.split_once(':') {
        None => true,
        Some((scheme, rest)) => !known.contains(&scheme) && !rest.starts_with("//"),
    }
}
