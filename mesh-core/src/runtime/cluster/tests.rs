//! Clusters from configuration to pick.

use std::{collections::HashMap, ops::Deref, sync::OnceLock, time::Duration};

use super::*;
use crate::{
    config::{
        Address, Dialect, Discovery, EndpointConfig, Failover, HealthStatus, LbPolicyConfig,
        Locality, LocalityConfig, LocalityMode,
    },
    runtime::{ConnectivityReport, EndpointState},
};

/// A mesh's slot: a number that tells it from others, and the report of its pool.
#[derive(Debug, Default)]
struct Slot {
    number: u16,
    report: OnceLock<ConnectivityReport>,
}

impl Slot {
    fn of(number: u16) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }
}

/// The pool of an endpoint, as far as it reports.
struct Pool(Arc<Endpoint<Slot>>);

impl Deref for Pool {
    type Target = ConnectivityReport;

    fn deref(&self) -> &ConnectivityReport {
        let slot = self.0.slot(Slot::default);
        slot.report.get_or_init(|| self.0.state().report())
    }
}

/// What a test's endpoints are: port, health and weight.
type Spec = (u16, HealthStatus, u32);

const HEALTHY: HealthStatus = HealthStatus::Healthy;

fn endpoint((port, health, weight): Spec) -> EndpointConfig {
    EndpointConfig {
        weight,
        health,
        ..EndpointConfig::new(Address::Socket(([127, 0, 0, 1], port).into()))
    }
}

fn locality(zone: &str, priority: u32, weight: Option<u32>, endpoints: &[Spec]) -> LocalityConfig {
    LocalityConfig {
        id: Locality {
            zone: zone.into(),
            ..Locality::default()
        },
        priority,
        weight,
        endpoints: endpoints.iter().map(|it| endpoint(*it)).collect(),
    }
}

fn plain(ports: impl IntoIterator<Item = u16>) -> LocalityConfig {
    let specs: Vec<Spec> = ports.into_iter().map(|port| (port, HEALTHY, 1)).collect();
    locality("a", 0, Some(1), &specs)
}

fn snapshot(
    dialect: Dialect,
    localities: impl Into<Vec<LocalityConfig>>,
    change: impl FnOnce(&mut ClusterConfig),
) -> ClusterSnapshot {
    let endpoints = Arc::new(EndpointsConfig {
        localities: localities.into(),
        ..EndpointsConfig::default()
    });
    let mut config = ClusterConfig::new("shop", Discovery::Eds("shop".into()), dialect);
    config.limits.max_requests = 100_000;
    change(&mut config);
    ClusterSnapshot {
        config: Arc::new(config),
        endpoints,
        note: None,
    }
}

fn runtime(snapshot: &ClusterSnapshot) -> ClusterRuntime<Slot> {
    awake(snapshot, &Registry::default())
}

/// A cluster that was asked for.
fn awake(snapshot: &ClusterSnapshot, registry: &Registry) -> ClusterRuntime<Slot> {
    let runtime = ClusterRuntime::new(snapshot, registry, Instant::now());
    runtime.wake();
    runtime
}

fn port(picked: &Picked<Slot>) -> u16 {
    match picked.endpoint.state().address() {
        Address::Socket(address) => address.port(),
        Address::Unix(_) => 0,
    }
}

/// Counts which ports `count` picks go to.
fn tally(runtime: &ClusterRuntime<Slot>, count: usize) -> HashMap<u16, usize> {
    let entropy = Entropy::seeded(1);
    let mut tally = HashMap::new();
    for _ in 0..count {
        match runtime.pick(&entropy) {
            Pick::Use(picked) => *tally.entry(port(&picked)).or_default() += 1,
            other => panic!("{other:?}"),
        }
    }
    tally
}

fn pool(runtime: &ClusterRuntime<Slot>, port: u16) -> Pool {
    runtime.read(|_, layout, _| {
        let wanted = Address::Socket(([127, 0, 0, 1], port).into());
        let mut endpoints = layout.endpoints.iter();
        let found = endpoints.find(|it| *it.state().address() == wanted);
        Pool(Arc::clone(found.unwrap()))
    })
}

fn state(runtime: &ClusterRuntime<Slot>, port: u16) -> Arc<EndpointState> {
    Arc::clone(pool(runtime, port).0.state())
}

mod connectivity;
mod envoy;
mod limits;
mod sleep;
mod updates;
