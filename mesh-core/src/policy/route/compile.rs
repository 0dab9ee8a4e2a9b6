//! From a route configuration to a route table.

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::BuildHasher,
    sync::Arc,
};

use indexmap::IndexSet;

use super::{
    Asks, CompiledRoute, Host, RouteTable, conditions,
    domains::Domains,
    paths::Paths,
    scope::Scopes,
    target::{Target, Weighted},
};
use crate::{
    config::{
        ClusterChoice, EditedForwards, FilterOverrides, MatchRules, Route, RouteAction,
        RouteConfig, RouteMatch, VirtualHost, WeightedClusters,
    },
    name::ClusterName,
    policy::weighted::WeightedChoice,
};

/// Compiles `config`. Routes are copied only to be changed; all else stays shared with whoever keeps
/// the configuration.
pub(super) fn compile(config: RouteConfig) -> RouteTable {
    let domains = Domains::new(&config);
    let routes = config.virtual_hosts.iter().map(|host| host.routes.len());
    let mut compiler = Compiler {
        rules: config.rules,
        clusters: IndexSet::new(),
        scopes: Scopes::new(),
        routes: Vec::with_capacity(routes.sum()),
        alike: HashMap::new(),
        hasher: RandomState::new(),
        weighted: HashSet::new(),
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
    rules: MatchRules,
    clusters: IndexSet<ClusterName>,
    scopes: Scopes,
    routes: Vec<Arc<CompiledRoute>>,
    /// The first route of each set of conditions, by a hash of most of them.
    alike: HashMap<u64, u32>,
    hasher: RandomState,
    /// Every weighted choice, once.
    weighted: HashSet<Arc<Weighted>>,
}

impl Compiler {
    fn host(&mut self, host: VirtualHost) -> Host {
        let start = self.routes.len();
        let mut retried = EditedForwards::default();
        for mut route in host.routes {
            let target = self.target(&host.filter_overrides, &mut route);
            if let RouteAction::Forward(forward) = &route.action
                && forward.retry.is_none()
                && host.retry.is_some()
                && let RouteAction::Forward(forward) = &mut Arc::make_mut(&mut route).action
            {
                retried.edit(forward, |forward| forward.retry.clone_from(&host.retry));
            }
            let asks = self.asks(&route.matches);
            self.routes.push(Arc::new(CompiledRoute {
                path: route.matches.path.clone(),
                needed: conditions::needed(&route.matches, self.rules),
                target,
                asks,
                fold: !route.matches.case_sensitive,
                action: route.action.clone(),
                virtual_host: Arc::clone(&host.name),
                route,
            }));
        }
        Host {
            name: host.name,
            domains: host.domains,
            paths: Paths::new(&self.routes, start..self.routes.len()),
        }
    }

    /// What the route that comes next asks besides its path.
    fn asks(&mut self, matches: &RouteMatch) -> Asks {
        if conditions::none(matches) {
            return Asks::Nothing;
        }
        let next = u32::try_from(self.routes.len()).unwrap_or(u32::MAX);
        let seen = (&matches.headers, matches.grpc, matches.fraction);
        let first = self.alike.entry(self.hasher.hash_one(seen)).or_insert(next);
        let same = |route: &Arc<CompiledRoute>| conditions::same(&route.route.matches, matches);
        // Of those that differ only by what the hash leaves out, each stands for itself.
        match self.routes.get(*first as usize) {
            Some(route) if same(route) => Asks::As(*first),
            _ => Asks::As(next),
        }
    }

    fn target(&mut self, host: &FilterOverrides, route: &mut Arc<Route>) -> Target {
        // Where it is shared, so are the names in it.
        if let Some(route) = Arc::get_mut(route)
            && let RouteAction::Forward(forward) = &mut route.action
            && let Some(own) = Arc::get_mut(forward)
        {
            self.share_names(&mut own.cluster);
        }
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
            ClusterChoice::Header(name) => {
                let scope = self.scopes.place(layers);
                Target::Header(Arc::new((name.clone(), scope)))
            }
            ClusterChoice::Weighted(weighted) => {
                let weighted = self.weighted(weighted, layers);
                Target::Weighted(match self.weighted.get(&weighted) {
                    Some(same) => Arc::clone(same),
                    None => {
                        let new = Arc::new(weighted);
                        self.weighted.insert(Arc::clone(&new));
                        new
                    }
                })
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

    /// Makes names those of the table: with many routes, as many copies of them would take more room
    /// than all that is looked at to find one.
    fn share_names(&self, choice: &mut ClusterChoice) {
        let share = |name: &mut ClusterName| {
            if let Some(known) = self.clusters.get(name) {
                name.clone_from(known);
            }
        };
        match choice {
            ClusterChoice::Single(name) => share(name),
            ClusterChoice::Weighted(weighted) => {
                weighted
                    .clusters
                    .iter_mut()
                    .map(|it| &mut it.name)
                    .for_each(share);
            }
            ClusterChoice::Header(_) => {}
        }
    }

    /// The place of a cluster in the table.
    fn cluster(&mut self, name: &ClusterName) -> u32 {
        let place = match self.clusters.get_index_of(name) {
            Some(place) => place,
            None => self.clusters.insert_full(name.clone()).0,
        };
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}
