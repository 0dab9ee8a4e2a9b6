//! From start to end: workers, the admin page, signals.

use std::{net::SocketAddr, sync::Arc, thread};

use anyhow::Context as _;
use mesh::{
    Mesh, Registry,
    listen::{Drain, Draining},
};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::timeout,
};

use crate::{
    admin::{self, Admin},
    flags::Setup,
    worker::Worker,
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
    let registry = Registry::default();
    let (drain, draining) = Drain::new();
    let asked: Vec<_> = setup.listen.iter().map(|it| it.address).collect();
    let first = Worker::start(&setup, &asked, &registry, None)?;
    let addresses = first.addresses()?;
    // Closed when the last worker has ended.
    let (working, mut ended) = mpsc::channel::<()>(1);
    for number in 1..setup.workers.get() {
        let beside = Beside {
            addresses: addresses.clone(),
            registry: registry.clone(),
            first: first.mesh.clone(),
            draining: draining.clone(),
            working: working.clone(),
        };
        start_another(number, Arc::clone(&setup), beside)?;
    }
    for (listen, address) in setup.listen.iter().zip(&addresses) {
        println!("listening on {address} for {}", listen.listener);
    }
    if let Some(address) = setup.admin {
        let admin = Admin::new(&setup, &addresses, &first, draining.clone());
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
    registry: Registry,
    first: Mesh,
    draining: Draining,
    working: mpsc::Sender<()>,
}

/// Starts a worker on a thread of its own, and waits until it listens.
fn start_another(number: usize, setup: Arc<Setup>, beside: Beside) -> anyhow::Result<()> {
    let Beside {
        addresses,
        registry,
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
            let started = Worker::start(&setup, &addresses, &registry, Some(&first));
            // Its clients are enough.
            drop(first);
            match started {
                Ok(worker) => {
                    drop(listens.send(Ok(())));
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
