//! From start to end: workers, the admin page, signals.

use std::{net::SocketAddr, sync::Arc, thread};

use anyhow::Context as _;
use mesh::{
    HttpClient, Mesh, Registry,
    listen::{Drain, Draining},
    telemetry::{self, MetricsObserver},
};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::timeout,
};

use crate::{
    admin::{self, Admin, Served},
    flags::Setup,
    worker::{Shared, Worker},
};

/// Runs until a signal has ended it and what was under way has ended too.
///
/// # Errors
/// When an address cannot be had, or the system lets no thread be started.
pub(crate) fn run(setup: Setup) -> anyhow::Result<()> {
    runtime()?.block_on(serve(setup))
}

/// The first worker has this thread, with all that is there once.
async fn serve(setup: Setup) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let setup = Arc::new(setup);
    // Before anything is counted, and only where it can be read.
    let metrics = setup.admin.map(|_| telemetry::prometheus()).transpose()?;
    let shared = Shared {
        registry: Registry::default(),
        observer: metrics.is_some().then(MetricsObserver::new),
    };
    let (drain, draining) = Drain::new();
    let asked: Vec<_> = setup.listen.iter().map(|it| it.address).collect();
    let first = Worker::start(&setup, &asked, &shared, None)?;
    let addresses = first.addresses()?;
    let mut clients = vec![first.clients()];
    // Closed when the last worker has ended.
    let (working, mut ended) = mpsc::channel::<()>(1);
    for number in 1..setup.workers.get() {
        let beside = Beside {
            addresses: addresses.clone(),
            shared: shared.clone(),
            first: first.mesh.clone(),
            draining: draining.clone(),
            working: working.clone(),
        };
        clients.push(start_another(number, Arc::clone(&setup), beside)?);
    }
    for (listen, address) in setup.listen.iter().zip(&addresses) {
        println!("listening on {address} for {}", listen.listener);
    }
    if let Some((address, metrics)) = setup.admin.zip(metrics) {
        let served = Served::of(&setup, &addresses, &clients);
        let admin = Admin {
            mesh: first.mesh.clone(),
            served,
            metrics,
            draining: draining.clone(),
        };
        let admin = Arc::new(admin);
        println!("admin on {}", admin::serve(admin, address).await?);
    }
    tokio::spawn(async move {
        first.serve(draining).await;
        drop(working);
    });
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("draining");
    drain.begin();
    tokio::select! {
        drained = timeout(setup.drain_timeout, ended.recv()) => if drained.is_err() {
            tracing::warn!("requests under way are cut off: the drain timeout has passed");
        },
        // Once more: at once.
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// What another worker has from the first.
struct Beside {
    addresses: Vec<SocketAddr>,
    shared: Shared,
    first: Mesh,
    draining: Draining,
    working: mpsc::Sender<()>,
}

/// Starts a worker on a thread of its own, waits until it listens, and says where its requests go.
fn start_another(
    number: usize,
    setup: Arc<Setup>,
    beside: Beside,
) -> anyhow::Result<Vec<HttpClient>> {
    let Beside {
        addresses,
        shared,
        first,
        draining,
        working,
    } = beside;
    let (listens, listening) = std::sync::mpsc::channel();
    let work = move || {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(error) => return drop(listens.send(Err(error))),
        };
        runtime.block_on(async move {
            let started = Worker::start(&setup, &addresses, &shared, Some(&first));
            // Its clients are enough.
            drop(first);
            match started {
                Ok(worker) => {
                    drop(listens.send(Ok(worker.clients())));
                    worker.serve(draining).await;
                }
                Err(error) => drop(listens.send(Err(error))),
            }
        });
        drop(working);
    };
    let name = format!("worker-{number}");
    thread::Builder::new().name(name).spawn(work)?;
    listening.recv().context("a worker ended before it began")?
}

fn runtime() -> anyhow::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.context("no runtime")
}
