//! Accepted configuration serves: a snapshot of it becomes a view and live clusters, decides and
//! picks whatever endpoints do, and counts nothing that has ended.

use std::{
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use mesh_core::{
    config::{ClusterConfig, ClusterSnapshot, Dialect, EndpointsConfig, SnapshotBuilder},
    entropy::Entropy,
    filter::FilterRegistry,
    runtime::{ClusterRuntime, ClusterSlot, ConnectivityReport, Outcome, Pick, Registry, View},
};
use mesh_xds_client::resource::{Resource, ResourceType};

use crate::{decode::good, draw::Draw, engine::run, select};

#[test]
fn cluster() {
    run("serve::cluster", 2_000, |input| {
        let mut draw = AssertUnwindSafe(Draw::new(input));
        let dialect = *draw.pick(&[Dialect::Grpc, Dialect::Envoy]);
        if let (Some(config), Some(endpoints)) = (
            a_cluster(&mut draw, dialect),
            some_endpoints(&mut draw, dialect),
        ) {
            live(&mut draw, dialect, config, endpoints);
        }
    });
}

#[test]
fn snapshot() {
    run("serve::snapshot", 1_500, |input| {
        let mut draw = Draw::new(input);
        let dialect = *draw.pick(&[Dialect::Grpc, Dialect::Envoy]);
        let _ = view(&mut draw, dialect);
    });
}

fn a_cluster(draw: &mut Draw<'_>, dialect: Dialect) -> Option<Arc<ClusterConfig>> {
    match good(draw, ResourceType::Cluster, dialect)? {
        Resource::Cluster(config) => Some(config),
        _ => None,
    }
}

fn some_endpoints(draw: &mut Draw<'_>, dialect: Dialect) -> Option<Arc<EndpointsConfig>> {
    match good(draw, ResourceType::Endpoints, dialect)? {
        Resource::Endpoints(config) => Some(config),
        _ => None,
    }
}

/// What is now in force, told of to the clock of a test.
struct Live {
    cluster: ClusterRuntime<ConnectivityReport>,
    endpoints: Arc<EndpointsConfig>,
    entropy: Entropy,
    now: Instant,
}

fn live(
    draw: &mut Draw<'_>,
    dialect: Dialect,
    config: Arc<ClusterConfig>,
    endpoints: Arc<EndpointsConfig>,
) {
    let now = Instant::now();
    let mut snapshot = ClusterSnapshot {
        config,
        endpoints,
        note: None,
    };
    let cluster = ClusterRuntime::new(&snapshot, &Registry::default(), now);
    let mut live = Live {
        cluster,
        endpoints: Arc::clone(&snapshot.endpoints),
        entropy: Entropy::seeded(draw.u64()),
        now,
    };
    live.look();
    for _ in 0..24 {
        match draw.below(8) {
            0 => {
                if let Some(endpoints) = some_endpoints(draw, dialect) {
                    snapshot.endpoints = Arc::clone(&endpoints);
                    live.endpoints = endpoints;
                }
                if draw.bool()
                    && let Some(config) = a_cluster(draw, dialect)
                {
                    snapshot.config = config;
                }
                live.cluster.update(&snapshot, live.now);
                live.look();
            }
            1 => {
                live.now += Duration::from_millis(draw.number() % 300_000);
                live.look();
            }
            2 | 3 => live.report(draw),
            _ => live.pick(draw),
        }
    }
    assert_eq!(live.cluster.state().in_flight(), 0, "what has ended counts");
    let _ = live.cluster.explain(live.now).to_string();
}

impl Live {
    fn look(&self) {
        let rebuilt = self.cluster.rebuild(self.now);
        assert!(
            rebuilt.wake.is_none_or(|wake| wake > self.now),
            "at once again"
        );
    }

    /// Something becomes of an endpoint that is to be connected to.
    fn report(&self, draw: &mut Draw<'_>) {
        for endpoint in self.cluster.rebuild(self.now).connect {
            let pool = endpoint.slot(|| endpoint.state().report());
            match draw.below(4) {
                0 => pool.set_connecting(),
                1 => pool.set_failed(self.now, draw.u64(), "refused"),
                2 => pool.set_idle(self.now),
                _ => pool.set_ready(),
            }
        }
        self.look();
    }

    fn pick(&self, draw: &mut Draw<'_>) {
        let mut kept = Vec::new();
        for _ in 0..draw.below(4) {
            if let Pick::Use(mut picked) = self.cluster.pick(&self.entropy) {
                let config = picked.endpoint.config();
                let named: HashSet<_> = self.named().collect();
                assert!(
                    named.contains(&config.key()),
                    "{:?} is not there",
                    config.key()
                );
                match draw.below(4) {
                    0 => picked.guard.record(Outcome::Success),
                    1 => picked.guard.record(Outcome::Failure),
                    2 => kept.push(picked),
                    _ => {}
                }
            }
        }
    }

    fn named(&self) -> impl Iterator<Item = mesh_core::name::EndpointKey> {
        let localities = self.endpoints.localities.iter();
        let here = localities.flat_map(|locality| &locality.endpoints);
        let own = self.cluster.config();
        let own = match &own.discovery {
            mesh_core::config::Discovery::Static(endpoints) => Some(Arc::clone(endpoints)),
            _ => None,
        };
        let own: Vec<_> = own
            .iter()
            .flat_map(|endpoints| &endpoints.localities)
            .flat_map(|locality| &locality.endpoints)
            .map(|endpoint| endpoint.key())
            .collect();
        here.map(|endpoint| endpoint.key()).chain(own)
    }
}

fn view(draw: &mut Draw<'_>, dialect: Dialect) -> Option<()> {
    let listener = good(draw, ResourceType::Listener, dialect)?;
    let Resource::Listener(resource) = &listener else {
        return None;
    };
    let routes = match select::routes(listener.clone()) {
        Some(routes) => routes,
        None => select::routes(good(draw, ResourceType::RouteConfig, dialect)?)?,
    };
    let mut builder = SnapshotBuilder::new("a")
        .listener(resource.config.clone())
        .routes(routes.clone());
    let mut clusters = listener.references().clusters;
    clusters.extend(["a", "b", "c", "greeter"].map(Into::into));
    let config = a_cluster(draw, dialect)?;
    let endpoints = some_endpoints(draw, dialect)?;
    for name in clusters {
        let mut config = ClusterConfig::clone(&config);
        config.name = name;
        builder = builder.cluster_with(config, Arc::clone(&endpoints));
    }
    let snapshot = builder.build().ok()?;
    let (registry, now) = (Registry::default(), Instant::now());
    let live = |cluster: &ClusterSnapshot| {
        let cluster = ClusterRuntime::<()>::new(cluster, &registry, now);
        cluster.rebuild(now);
        Arc::new(cluster)
    };
    let view = View::build(&snapshot, &FilterRegistry::default(), None, live, |_| None);
    let entropy = Entropy::seeded(draw.u64());
    for _ in 0..4 {
        decide(draw, &view, &routes, &entropy);
    }
    for (_, slot) in view.clusters() {
        if let ClusterSlot::Live(cluster) = slot {
            assert_eq!(cluster.state().in_flight(), 0);
        }
    }
    Some(())
}

fn decide(
    draw: &mut Draw<'_>,
    view: &View<()>,
    routes: &mesh_core::config::RouteConfig,
    entropy: &Entropy,
) {
    let decided = select::any_request(draw, routes, |head, draw| view.decide(head, draw));
    match decided {
        None => {}
        Some(Ok(chosen)) => drop(chosen.cluster.pick(entropy)),
        Some(Err(error)) => assert!(!error.to_string().contains(char::is_control), "{error}"),
    }
}
