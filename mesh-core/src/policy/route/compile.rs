//! From a route configuration to a route table.

use std::sync::Arc;

use indexmap::IndexSet;

use super::{
    CompiledRoute, Host, RouteTable,
    domains::Domains,
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

/// Compiles `config`. Routes are moved, not copied: a table is all that is kept of them.
pub(super) fn compile(config: RouteConfig) -> RouteTable {
    let domains = Domains::new(&config);
    let mut compiler = Compiler {
        clusters: IndexSet::new(),
        scopes: Scopes::new(),
        routes: Vec::new(),
    };
    let hosts = config.virtual_hosts.into_iter();
    let hosts = hosts.map(|host| compiler.host(host)).collect();
    RouteTable {
        name: config.name,
        rules: config.rules,
        clusters: compiler.clusters.into_iter().collect(),
        scopes: compiler.scopes.into_vec(),
        domains,
        hosts,
        routes: compiler.routes,
    }
}

/// What the virtual hosts have in common.
struct Compiler {
    clusters: IndexSet<ClusterName>,
    scopes: Scopes,
    routes: Vec<Arc<CompiledRoute>>,
}

impl Compiler {
    fn host(&mut self, host: VirtualHost) -> Host {
        let start = self.routes.len();
        self.routes.reserve(host.routes.len());
        for mut route in host.routes {
            let target = self.target(&host.filter_overrides, &route);
            if let RouteAction::Forward(forward) = &mut route.action
                && forward.retry.is_none()
            {
                forward.retry.clone_from(&host.retry);
            }
            self.routes.push(Arc::new(CompiledRoute {
                virtual_host: Arc::clone(&host.name),
                route,
                target,
            }));
        }
        Host {
            name: host.name,
            domains: host.domains,
            paths: Paths::new(&self.routes, start..self.routes.len()),
        }
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
