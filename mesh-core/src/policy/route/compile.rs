//! From a route configuration to a route table.

use std::sync::Arc;

use indexmap::IndexSet;

use super::{
    CompiledRoute, RouteTable,
    hosts::Hosts,
    paths::Paths,
    scope::Scopes,
    target::{Target, Weighted},
};
use crate::{
    config::{
        ClusterChoice, FilterOverrides, Route, RouteAction, RouteConfig, VirtualHost,
        WeightedClusters,
    },
    name::ClusterName,
    policy::weighted::WeightedChoice,
};

/// Compiles `config`.
pub(super) fn compile(config: RouteConfig) -> RouteTable {
    let mut compiler = Compiler {
        clusters: IndexSet::new(),
        scopes: Scopes::new(),
    };
    let mut routes = Vec::new();
    let mut spans = Vec::with_capacity(config.virtual_hosts.len());
    for host in &config.virtual_hosts {
        let start = routes.len();
        routes.extend(host.routes.iter().map(|route| compiler.route(host, route)));
        spans.push(start..routes.len());
    }
    let paths = spans.into_iter().map(|span| Paths::new(&routes, span));
    RouteTable {
        hosts: Hosts::new(&config),
        paths: paths.collect(),
        clusters: compiler.clusters.into_iter().collect(),
        scopes: compiler.scopes.into_vec(),
        routes,
        config,
    }
}

/// What the routes have in common.
struct Compiler {
    clusters: IndexSet<ClusterName>,
    scopes: Scopes,
}

impl Compiler {
    fn route(&mut self, host: &VirtualHost, route: &Route) -> Arc<CompiledRoute> {
        let target = self.target(&host.filter_overrides, route);
        let mut route = route.clone();
        if let RouteAction::Forward(forward) = &mut route.action
            && forward.retry.is_none()
        {
            forward.retry.clone_from(&host.retry);
        }
        Arc::new(CompiledRoute {
            virtual_host: Arc::clone(&host.name),
            route,
            target,
        })
    }

    fn target(&mut self, host: &FilterOverrides, route: &Route) -> Target {
        let layers = [&route.filter_overrides, host];
        let RouteAction::Forward(forward) = &route.action else {
            let scope = self.scopes.place(layers);
            return Target::Refuse { scope };
        };
        match &forward.cluster {
            ClusterChoice::Single(name) => Target::Single {
                cluster: self.cluster(name),
                scope: self.scopes.place(layers),
            },
            ClusterChoice::Header(name) => Target::Header {
                name: name.clone(),
                scope: self.scopes.place(layers),
            },
            ClusterChoice::Weighted(weighted) => {
                Target::Weighted(Box::new(self.weighted(weighted, layers)))
            }
        }
    }

    fn weighted(
        &mut self,
        weighted: &WeightedClusters,
        [route, host]: [&FilterOverrides; 2],
    ) -> Weighted {
        let places = weighted.clusters.iter().map(|entry| {
            let scope = self.scopes.place([&entry.filter_overrides, route, host]);
            (self.cluster(&entry.name), scope)
        });
        let places = places.collect();
        Weighted {
            choice: WeightedChoice::new(weighted.clusters.iter().map(|entry| entry.weight)),
            places,
            scope: self.scopes.place([route, host]),
            header: weighted.header_name.clone(),
        }
    }

    /// The place of a cluster in the table.
    fn cluster(&mut self, name: &ClusterName) -> usize {
        match self.clusters.get_index_of(name) {
            Some(place) => place,
            None => self.clusters.insert_full(name.clone()).0,
        }
    }
}
