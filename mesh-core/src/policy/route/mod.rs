//! The route table: a route configuration compiled for look-up.

mod compile;
pub(crate) mod conditions;
mod hosts;
mod paths;
mod scope;
mod target;
mod tree;

use std::{fmt, ops::Range, sync::Arc};

pub use self::scope::Scope;
use self::{
    hosts::Hosts,
    paths::{Asked, Paths},
};
pub(crate) use self::{hosts::Place, target::Target};
use crate::{
    config::{Forward, Route, RouteAction, RouteConfig},
    name::ClusterName,
    policy::head::RequestHead,
};

/// A compiled RouteConfiguration. Made once for each version of the resource and shared by all that
/// use it; it refers to clusters by their place in [`RouteTable::clusters`], never by a pointer, so
/// that a cluster can change without it.
pub struct RouteTable {
    config: RouteConfig,
    clusters: Vec<ClusterName>,
    scopes: Vec<Scope>,
    hosts: Hosts,
    /// Of each virtual host.
    paths: Vec<Paths>,
    /// Of all virtual hosts, in the order of the configuration.
    routes: Vec<Arc<CompiledRoute>>,
}

/// One route, ready to be held by the requests that it takes.
#[derive(Debug)]
pub struct CompiledRoute {
    /// The name of its virtual host.
    pub virtual_host: Arc<str>,
    /// Its configuration; the virtual host's retry policy filled in where it has none.
    pub route: Route,
    pub(crate) target: Target,
}

/// What was chosen for a request.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'t> {
    /// The route.
    pub route: &'t Arc<CompiledRoute>,
    /// Its cluster; `None` when the route refuses.
    pub cluster: Option<ClusterRef<'t>>,
    /// Which of [`RouteTable::scopes`] holds the filter overrides; 0 is the scope without any.
    pub scope: usize,
}

/// A cluster as a route names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterRef<'t> {
    /// By its place in [`RouteTable::clusters`].
    Index(usize),
    /// By a name that only the request knew (`cluster_header`); may not exist. Empty when the
    /// request names none: no cluster has an empty name.
    ByName(&'t str),
}

impl CompiledRoute {
    /// How it forwards, or the reason for which it refuses.
    ///
    /// # Errors
    /// The text of [`RouteAction::Refuse`].
    pub fn forward(&self) -> Result<&Forward, &Arc<str>> {
        match &self.route.action {
            RouteAction::Forward(forward) => Ok(forward),
            RouteAction::Refuse(reason) => Err(reason),
        }
    }
}

impl RouteTable {
    /// Compiles a configuration. Whatever is in it is taken as it is: decoding has refused what is
    /// wrong.
    #[must_use]
    pub fn compile(config: RouteConfig) -> Self {
        compile::compile(config)
    }

    /// The configuration it was compiled from.
    #[must_use]
    pub const fn config(&self) -> &RouteConfig {
        &self.config
    }

    /// Every cluster that a route names, once each.
    #[must_use]
    pub fn clusters(&self) -> &[ClusterName] {
        &self.clusters
    }

    /// Every combination of filter overrides that a request can meet, once each; the first has
    /// none.
    #[must_use]
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The route and the cluster of a request, by the request's random number `draw`.
    ///
    /// `None` when no virtual host serves the authority, or none of its routes takes the request:
    /// then no other virtual host is asked (Envoy; gRFC A27). Takes no lock and allocates nothing,
    /// save to join several long lines of one header for a condition on them.
    #[must_use]
    pub fn select<'t>(&'t self, head: &RequestHead<'t>, draw: u64) -> Option<Selection<'t>> {
        let rules = self.config.rules;
        let host = self.hosts.find(head.authority)?.host;
        let place = self.paths[host].find(&self.routes, Asked { head, draw, rules })?;
        let route = &self.routes[place];
        let (cluster, scope) = route.target.choose(head, draw, rules);
        Some(Selection {
            route,
            cluster,
            scope,
        })
    }

    /// The domain that serves `authority`.
    pub(crate) fn domain(&self, authority: &str) -> Option<Place> {
        self.hosts.find(authority)
    }

    /// The places of a virtual host's routes.
    pub(crate) fn routes_of(&self, host: usize) -> Range<usize> {
        self.paths[host].routes()
    }

    /// The route at `place`.
    pub(crate) fn route(&self, place: usize) -> &Arc<CompiledRoute> {
        &self.routes[place]
    }
}

impl fmt::Debug for RouteTable {
    /// Says how large it is, not what is in it: tables can have ten thousands of routes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteTable")
            .field("name", &self.config.name)
            .field("virtual_hosts", &self.config.virtual_hosts.len())
            .field("routes", &self.routes.len())
            .field("clusters", &self.clusters.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
