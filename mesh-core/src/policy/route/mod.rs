//! The route table: a route configuration compiled for look-up.

mod compile;
pub(crate) mod conditions;
mod domains;
mod paths;
mod scope;
mod target;
mod trie;

use std::{fmt, ops::Range, sync::Arc};

pub use self::scope::Scope;
use self::{conditions::Asked, domains::Domains, paths::Paths};
pub(crate) use self::{domains::Place, target::Target};
use crate::{
    config::{DomainPattern, Forward, MatchRules, PathMatch, Route, RouteAction, RouteConfig},
    name::{ClusterName, RouteConfigName},
    policy::{head::RequestHead, matcher::lookup::Names},
};

/// A compiled RouteConfiguration. Made once for each version of the resource and shared by all that
/// use it; it refers to clusters by their place in [`RouteTable::clusters`], never by a pointer, so
/// that a cluster can change without it.
pub struct RouteTable {
    name: RouteConfigName,
    rules: MatchRules,
    clusters: Vec<ClusterName>,
    scopes: Vec<Scope>,
    domains: Domains,
    hosts: Vec<Host>,
    /// Of all virtual hosts, in the order of the configuration.
    routes: Vec<Arc<CompiledRoute>>,
}

/// A virtual host without its routes.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) name: Arc<str>,
    pub(crate) domains: Vec<DomainPattern>,
    paths: Paths,
}

/// One route, ready to be held by the requests that it takes.
//
// In this order: what it takes to find it lies beside the count of those that hold it, on one line
// of the cache. With many routes, fetching them is what a look-up costs.
#[derive(Debug)]
#[repr(C)]
pub struct CompiledRoute {
    path: PathMatch,
    /// Headers that a request must have.
    needed: Names,
    pub(crate) target: Target,
    asks: Asks,
    /// Whether the path's case is ignored.
    fold: bool,
    /// As in `route`, near at hand.
    action: RouteAction,
    /// The name of its virtual host.
    pub virtual_host: Arc<str>,
    /// Its configuration; the virtual host's retry policy filled in where it has none.
    pub route: Arc<Route>,
}

/// What a route asks of a request besides its path.
#[derive(Clone, Copy, Debug)]
enum Asks {
    Nothing,
    /// The same as the route at that place of the table. Routes that ask the same share what is read
    /// for it.
    As(u32),
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
        match &self.action {
            RouteAction::Forward(forward) => Ok(forward),
            RouteAction::Refuse(reason) => Err(reason),
        }
    }
}

impl Host {
    /// The places of its routes in the table.
    pub(crate) fn routes(&self) -> Range<usize> {
        self.paths.routes()
    }
}

impl RouteTable {
    /// Compiles a configuration. Whatever is in it is taken as it is: decoding has refused what is
    /// wrong.
    #[must_use]
    pub fn compile(config: RouteConfig) -> Self {
        compile::compile(config)
    }

    /// The name of the configuration that it was compiled from.
    #[must_use]
    pub const fn name(&self) -> &RouteConfigName {
        &self.name
    }

    /// The routes of all virtual hosts, in the order of the configuration.
    #[must_use]
    pub fn routes(&self) -> &[Arc<CompiledRoute>] {
        &self.routes
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
    #[inline]
    pub fn select<'t>(&'t self, head: &RequestHead<'t>, draw: u64) -> Option<Selection<'t>> {
        let rules = self.rules;
        let host = self.domain(head.authority)?.host();
        let asked = Asked::new(head, draw, rules);
        let place = self.hosts[host].paths.find(&self.routes, &asked)?;
        let route = &self.routes[place];
        let (cluster, scope) = route.target.choose(head, draw, rules);
        Some(Selection {
            route,
            cluster,
            scope,
        })
    }

    /// The domain that serves `authority`.
    #[inline]
    pub(crate) fn domain(&self, authority: &str) -> Option<Place> {
        self.domains.find(authority, |place| {
            &self.hosts[place.host()].domains[place.domain()]
        })
    }

    /// The virtual host at a place that [`Self::domain`] gave.
    pub(crate) fn host(&self, host: usize) -> &Host {
        &self.hosts[host]
    }

    /// What the dialects read differently.
    pub(crate) const fn rules(&self) -> MatchRules {
        self.rules
    }
}

impl fmt::Debug for RouteTable {
    /// Says how large it is, not what is in it: tables can have ten thousands of routes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteTable")
            .field("name", &self.name)
            .field("virtual_hosts", &self.hosts.len())
            .field("routes", &self.routes.len())
            .field("clusters", &self.clusters.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
