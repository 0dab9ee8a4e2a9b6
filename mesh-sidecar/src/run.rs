//! From start to end: workers, the admin page, signals.

use std::{net::SocketAddr, sync::Arc, thread};

use anyhow::Context as _;
use mesh::{
    Registry,
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
    let first = Worker::start(&setup, &asked, &registry)?;
    let addresses = first.addresses()?;
    // Closed when the last worker has ended.
    let (working, mut ended) = mpsc::channel::<()>(1);
    for number in 1..setup.workers.get() {
        start_another(number, &setup, &addresses, &registry, &draining, &working)?;
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

/// Starts a worker on a thread of its own, and waits until it listens.
fn start_another(
    number: usize,
    setup: &Arc<Setup>,
    addresses: &[SocketAddr],
    registry: &Registry,
    draining: &Draining,
    working: &mpsc::Sender<()>,
) -> anyhow::Result<()> {
    let (setup, addresses, registry) = (Arc::clone(setup), addresses.to_vec(), registry.clone());
    let (draining, working) = (draining.clone(), working.clone());
    let (listens, listening) = std::sync::mpsc::channel();
    let work = move || {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(error) => return drop(listens.send(Err(error))),
        };
        runtime.block_on(async move {
            match Worker::start(&setup, &addresses, &registry) {
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
