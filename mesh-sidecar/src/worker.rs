//! A worker: one thread with its own sockets, connections and pools. No request leaves it.

use std::{io, net::SocketAddr};

use anyhow::Context as _;
use mesh::{
    HttpClient, Mesh, Registry,
    listen::{Draining, Executor, ListenOptions, Listener, Proxy},
    telemetry::MetricsObserver,
};
use tokio::{runtime::Handle, task::JoinSet};

use crate::flags::Setup;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) mesh: Mesh,
    served: Vec<Served>,
}

/// What all workers count together.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// Load, limits and connectivity.
    pub(crate) registry: Registry,
    /// Requests; `None` where nobody can read that.
    pub(crate) observer: Option<MetricsObserver>,
}

/// A socket and where its requests go.
#[derive(Debug)]
struct Served {
    listener: Listener,
    client: HttpClient,
}

impl Worker {
    /// Listens at `addresses`, one for each `--listen`, beside the other workers that have the same
    /// `shared`. The configuration is that of `first`, if this is another worker.
    ///
    /// # Errors
    /// When an address cannot be had. Only inside the worker's tokio runtime.
    pub(crate) fn start(
        setup: &Setup,
        addresses: &[SocketAddr],
        shared: &Shared,
        first: Option<&Mesh>,
    ) -> anyhow::Result<Self> {
        let mut mesh = Mesh::builder()
            .dialect(setup.dialect)
            .registry(shared.registry.clone());
        if let Some(observer) = &shared.observer {
            mesh = mesh.observer(observer.clone());
        }
        let mesh = match first {
            Some(first) => mesh.follow(first),
            None => mesh.bootstrap(setup.bootstrap.clone()),
        };
        let mesh = mesh.spawn()?;
        let served = setup.listen.iter().zip(addresses).map(|(listen, address)| {
            let mut options = ListenOptions::default();
            options.share_port = setup.workers.get() > 1;
            let listener = Listener::bind(*address, options)
                .with_context(|| format!("cannot listen at {address}"))?;
            let client = mesh.http_client(&format!("xds:///{}", listen.listener))?;
            anyhow::Ok(Served { listener, client })
        });
        let served = served.collect::<Result<_, _>>()?;
        Ok(Self { mesh, served })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.served.iter().map(|it| it.listener.address()).collect()
    }

    /// Where the requests of each socket go.
    pub(crate) fn clients(&self) -> Vec<HttpClient> {
        self.served.iter().map(|it| it.client.clone()).collect()
    }

    /// Serves until all is drained.
    pub(crate) async fn serve(self, draining: Draining) {
        let executor = Executor::tokio(Handle::current());
        let mut serving = JoinSet::new();
        for Served { listener, client } in self.served {
            serving.spawn(listener.serve(Proxy::new(client), executor.clone(), draining.clone()));
        }
        serving.join_all().await;
    }
}
