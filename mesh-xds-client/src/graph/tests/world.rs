//! A graph, a store, and what came of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Instant,
};

use mesh_core::{
    config::{
        Address, ClusterChoice, ClusterConfig, ClusterEntry, Dialect, Discovery, DomainPattern,
        EndpointsConfig, Forward, ListenerConfig, MatchRules, Route, RouteAction, RouteConfig,
        RouteMatch, Snapshot, VirtualHost,
    },
    name::ClusterName,
    source::ConfigUpdate,
};

use super::super::{Graph, Lookup, Origin};
use crate::{
    protocol::canonical,
    resource::{
        ListenerResource, Resource,
        ResourceType::{self, Cluster, Endpoints, Listener, RouteConfig as Routes},
        RouteConfigResource, RouteSource,
    },
    store::{Answer, ErrorKind, ErrorState},
};

/// What the store says of one name.
#[derive(Clone, Debug, Default)]
struct Scripted {
    value: Option<Resource>,
    error: Option<ErrorState>,
}

#[derive(Debug, Default)]
pub(super) struct Store {
    entries: HashMap<(ResourceType, String), Scripted>,
    connection: Option<ErrorState>,
    subscribed: BTreeSet<(ResourceType, String)>,
}

impl Lookup for Store {
    fn answer(&self, kind: ResourceType, name: &str) -> Option<Answer<'_, Resource>> {
        let key = (kind, canonical(name).into_owned());
        if !self.subscribed.contains(&key) {
            return None;
        }
        let empty = const {
            &Scripted {
                value: None,
                error: None,
            }
        };
        let entry = self.entries.get(&key).unwrap_or(empty);
        let error = entry.error.as_ref().or(self.connection.as_ref());
        Some(match (&entry.value, error) {
            (Some(value), note) => Answer::Ready { value, note },
            (None, Some(error)) => Answer::Failed(error),
            (None, None) => Answer::Waiting,
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) store: Store,
    pub(super) graph: Graph,
    latest: BTreeMap<String, ConfigUpdate>,
    /// How many updates each target got.
    pub(super) told: BTreeMap<String, usize>,
    /// Names that cannot be subscribed to.
    pub(super) forbidden: BTreeSet<String>,
}

impl World {
    pub(super) fn watching(targets: &[&str]) -> Self {
        let mut world = Self::default();
        for target in targets {
            world.graph.watch(target);
        }
        world.turn();
        world
    }

    /// Turns until nothing is left to do, as the client does.
    pub(super) fn turn(&mut self) {
        while !self.graph.is_clean() {
            let error = self.store.connection.as_ref();
            let origin = Origin {
                node: "n",
                server: "plane:1",
                error: error.map(|error| &*error.details),
            };
            let turn = self.graph.turn(&self.store, &origin);
            for (kind, name) in turn.unsubscribe {
                let gone = self.store.subscribed.remove(&(kind, name.to_string()));
                assert!(
                    gone || self.forbidden.contains(&*name),
                    "{kind} {name} was not wanted"
                );
            }
            for (kind, name) in turn.subscribe {
                if self.forbidden.contains(&*name) {
                    self.graph.refuse(kind, name, "forbidden".into());
                    continue;
                }
                let new = self.store.subscribed.insert((kind, name.to_string()));
                assert!(new, "{kind} {name} is asked for twice");
                // What the store keeps would be told of again.
                if self.store.entries.contains_key(&(kind, name.to_string())) {
                    self.graph.note(kind, &name);
                }
            }
            for (listener, update) in turn.updates {
                *self.told.entry(listener.to_string()).or_default() += 1;
                self.latest.insert(listener.to_string(), update);
            }
        }
    }

    fn set(&mut self, kind: ResourceType, name: &str, entry: Scripted) {
        let name = canonical(name).into_owned();
        self.store.entries.insert((kind, name.clone()), entry);
        if self.store.subscribed.contains(&(kind, name.clone())) {
            self.graph.note(kind, &name.into());
        }
    }

    /// The store has a value from now on.
    pub(super) fn put(&mut self, kind: ResourceType, name: &str, value: Resource) -> &mut Self {
        let entry = Scripted {
            value: Some(value),
            error: None,
        };
        self.set(kind, name, entry);
        self.turn();
        self
    }

    /// The store has an error and no value from now on.
    pub(super) fn fail(&mut self, kind: ResourceType, name: &str, error: ErrorKind) -> &mut Self {
        let entry = Scripted {
            value: None,
            error: Some(state(error, &format!("{kind} {name} failed"))),
        };
        self.set(kind, name, entry);
        self.turn();
        self
    }

    /// The store has an error beside the value from now on.
    pub(super) fn stain(&mut self, kind: ResourceType, name: &str, error: ErrorKind) -> &mut Self {
        let mut entry = self.store.entries[&(kind, name.to_owned())].clone();
        entry.error = Some(state(error, &format!("{kind} {name} is stained")));
        self.set(kind, name, entry);
        self.turn();
        self
    }

    /// The connection has this error from now on, or none.
    pub(super) fn connection(&mut self, error: Option<&str>) -> &mut Self {
        self.store.connection = error.map(|text| state(ErrorKind::Connection, text));
        self.graph.note_connection();
        self.turn();
        self
    }

    pub(super) fn listener(&mut self, name: &str, routes: &str) -> &mut Self {
        self.put(
            Listener,
            name,
            listener(name, RouteSource::Rds(routes.into())),
        )
    }

    pub(super) fn routes(&mut self, name: &str, clusters: &[&str]) -> &mut Self {
        self.put(Routes, name, routes(name, clusters))
    }

    /// A cluster with its endpoints.
    pub(super) fn cluster(&mut self, name: &str, port: u16) -> &mut Self {
        let service = format!("{name}-eds");
        self.put(Cluster, name, cluster(name, &service));
        self.put(Endpoints, &service, endpoints(port))
    }

    /// What is subscribed to, as `Cluster a`.
    pub(super) fn subscribed(&self) -> Vec<String> {
        let names = self.store.subscribed.iter();
        names.map(|(kind, name)| format!("{kind} {name}")).collect()
    }

    pub(super) fn latest(&self, target: &str) -> &ConfigUpdate {
        &self.latest[target]
    }

    pub(super) fn snapshot(&self, target: &str) -> Arc<Snapshot> {
        match self.latest(target) {
            ConfigUpdate::Ready(snapshot) => Arc::clone(snapshot),
            other => panic!("{target} is not ready: {other:?}"),
        }
    }

    pub(super) fn text(&self, target: &str) -> &str {
        match self.latest(target) {
            ConfigUpdate::Pending(text) | ConfigUpdate::Absent(text) => text,
            ConfigUpdate::Ready(snapshot) => panic!("{target} is ready: {snapshot:?}"),
        }
    }

    pub(super) fn is_absent(&self, target: &str) -> bool {
        matches!(self.latest(target), ConfigUpdate::Absent(_))
    }
}

fn state(kind: ErrorKind, text: &str) -> ErrorState {
    ErrorState {
        kind,
        details: text.into(),
        version: "".into(),
        rejected: None,
        at: Instant::now(),
    }
}

pub(super) fn listener(name: &str, routes: RouteSource) -> Resource {
    Resource::Listener(Arc::new(ListenerResource {
        config: ListenerConfig::new(name),
        routes,
        max_stream_duration: None,
    }))
}

pub(super) fn route_config(name: &str, choices: Vec<ClusterChoice>) -> RouteConfig {
    let route = |choice| Route {
        name: "".into(),
        matches: RouteMatch::prefix("/"),
        action: RouteAction::Forward(Arc::new(Forward::to(choice))),
        filter_overrides: Default::default(),
    };
    RouteConfig {
        name: name.into(),
        virtual_hosts: vec![VirtualHost {
            name: "all".into(),
            domains: vec![DomainPattern::Any],
            routes: choices.into_iter().map(route).map(Arc::new).collect(),
            retry: None,
            filter_overrides: Default::default(),
        }],
        ignore_port: false,
        rules: MatchRules::of(Dialect::Grpc),
    }
}

pub(super) fn inline(name: &str, clusters: &[&str]) -> RouteConfigResource {
    let choices = clusters
        .iter()
        .map(|name| ClusterChoice::Single(ClusterName::from(*name)));
    RouteConfigResource {
        config: route_config(name, choices.collect()),
    }
}

pub(super) fn routes(name: &str, clusters: &[&str]) -> Resource {
    Resource::RouteConfig(Arc::new(inline(name, clusters)))
}

pub(super) fn cluster(name: &str, service: &str) -> Resource {
    cluster_with(name, Discovery::Eds(service.into()))
}

pub(super) fn cluster_with(name: &str, discovery: Discovery) -> Resource {
    Resource::Cluster(Arc::new(ClusterConfig::new(name, discovery, Dialect::Grpc)))
}

pub(super) fn endpoints(port: u16) -> Resource {
    let address = Address::Socket(([127, 0, 0, 1], port).into());
    Resource::Endpoints(Arc::new(EndpointsConfig::of([address])))
}

/// A cluster of a snapshot in short: the ports of its endpoints, or why there are none.
pub(super) fn brief(snapshot: &Snapshot, cluster: &str) -> String {
    match &snapshot.clusters[cluster] {
        ClusterEntry::Unavailable(reason) => reason.to_string(),
        ClusterEntry::Ready(cluster) => {
            let localities = cluster.endpoints.localities.iter();
            let addresses = localities.flat_map(|locality| &locality.endpoints);
            let ports: Vec<u16> = addresses
                .map(|endpoint| match &endpoint.address {
                    Address::Socket(address) => address.port(),
                    other => panic!("{other:?}"),
                })
                .collect();
            match &cluster.note {
                None => format!("{ports:?}"),
                Some(note) => format!("{ports:?}: {note}"),
            }
        }
    }
}
