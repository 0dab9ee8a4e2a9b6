//! The models.

mod connectivity;
mod limits;
mod registry;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use loom::model::Builder;

use crate::{
    config::{
        Address, ClusterConfig, ClusterSnapshot, Dialect, Discovery, EndpointConfig,
        EndpointsConfig, Locality, LocalityConfig,
    },
    runtime::{ClusterRuntime, Registry},
};

/// How often a thread may be interrupted where it need not wait, unless `LOOM_MAX_PREEMPTIONS` says
/// otherwise. Faults that need more than that are rare.
const PREEMPTIONS: usize = 3;

/// Runs a model, and says in how many ways.
fn model(name: &str, run: impl Fn() + Send + Sync + 'static) {
    let ways = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ways);
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(PREEMPTIONS));
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        run();
    });
    println!("{name}: {} ways", ways.load(Ordering::Relaxed));
}

fn endpoint(port: u16) -> EndpointConfig {
    EndpointConfig::new(Address::Socket(([127, 0, 0, 1], port).into()))
}

/// A cluster with these endpoints; in dialect grpc they are connected to before they are picked.
fn snapshot(ports: &[u16], change: impl FnOnce(&mut ClusterConfig)) -> ClusterSnapshot {
    let endpoints = Arc::new(EndpointsConfig {
        localities: vec![LocalityConfig {
            id: Locality::default(),
            priority: 0,
            weight: Some(1),
            endpoints: ports.iter().map(|port| endpoint(*port)).collect(),
        }],
        ..EndpointsConfig::default()
    });
    let mut config = ClusterConfig::new("shop", Discovery::Eds("shop".into()), Dialect::Grpc);
    change(&mut config);
    ClusterSnapshot {
        config: Arc::new(config),
        endpoints,
        note: None,
    }
}

fn runtime(snapshot: &ClusterSnapshot, now: Instant) -> Arc<ClusterRuntime<()>> {
    Arc::new(ClusterRuntime::new(snapshot, &Registry::default(), now))
}
