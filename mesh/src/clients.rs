//! Clients of a mesh's control planes: one for each dialect in use.
//!
//! Meshes on one runtime that would ask the same control planes the same, and read and count the
//! answers in the same way, share a client and so a stream; it ends with the last that uses it. A mesh
//! on another runtime has its own, since a client is a task of the runtime that it was started on and
//! must not end under those who live on: whoever knows better says so with
//! [`MeshBuilder::follow`](crate::MeshBuilder::follow).

use std::{
    collections::BTreeSet,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use mesh_core::{
    config::Dialect,
    filter::FilterRegistry,
    observe::{Observer, Several},
    server::Server,
};
use mesh_tower::{connect::Executor, dial::Dialer};
use mesh_xds_client::{
    Bootstrap, WeakXdsSource, XdsOptions, XdsSource, XdsStatus,
    driver::{BoxError, Channel},
    protocol::Variant,
    resource::DecodeOptions,
};
use tokio::runtime::{Handle, Id};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Clients {
    bootstrap: Bootstrap,
    variant: Option<Variant>,
    filters: FilterRegistry,
    observers: Several,
    runtime: Handle,
    grpc: OnceLock<XdsSource>,
    envoy: OnceLock<XdsSource>,
}

/// The clients of the process that are in use.
static RUNNING: Mutex<Vec<Running>> = Mutex::new(Vec::new());

/// A client, and all that makes it another than others.
#[derive(Debug)]
struct Running {
    key: Key,
    client: WeakXdsSource,
}

#[derive(Debug)]
struct Key {
    bootstrap: Bootstrap,
    dialect: Dialect,
    variant: Option<Variant>,
    /// The type URLs that are known, which decoding asks for.
    filters: BTreeSet<Arc<str>>,
    /// Who counts it; or one of two meshes would go without, or the numbers be doubled.
    observers: Several,
    runtime: Id,
}

type Connecting = Pin<Box<dyn Future<Output = Result<Channel, BoxError>> + Send>>;

impl Clients {
    pub(crate) fn new(
        bootstrap: Bootstrap,
        variant: Option<Variant>,
        filters: FilterRegistry,
        observers: Several,
        runtime: Handle,
    ) -> Self {
        Self {
            bootstrap,
            variant,
            filters,
            observers,
            runtime,
            grpc: OnceLock::new(),
            envoy: OnceLock::new(),
        }
    }

    /// The client that reads by this dialect, started when it is first asked for.
    pub(crate) fn get(&self, dialect: Dialect) -> &XdsSource {
        self.cell(dialect).get_or_init(|| self.find(dialect))
    }

    /// What is known by each client that was started.
    pub(crate) fn status(&self) -> Vec<(Dialect, XdsStatus)> {
        let dialects = [Dialect::Grpc, Dialect::Envoy].into_iter();
        let started = dialects.filter_map(|it| Some((it, self.cell(it).get()?.status())));
        started.collect()
    }

    fn cell(&self, dialect: Dialect) -> &OnceLock<XdsSource> {
        match dialect {
            Dialect::Grpc => &self.grpc,
            Dialect::Envoy => &self.envoy,
        }
    }

    /// The process's client of that kind, or a new one.
    fn find(&self, dialect: Dialect) -> XdsSource {
        let key = Key {
            bootstrap: self.bootstrap.clone(),
            dialect,
            variant: self.variant,
            filters: self.filters.type_urls().cloned().collect(),
            observers: self.observers.clone(),
            runtime: self.runtime.id(),
        };
        // A panic while the lock was held cannot have left the list half-changed.
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        // A client that is dropped here only wakes its driver.
        running.retain(|it| it.client.upgrade().is_some());
        let mut alike = running.iter().filter(|it| it.key.same(&key));
        if let Some(client) = alike.find_map(|it| it.client.upgrade()) {
            return client;
        }
        let client = self.start(dialect);
        running.push(Running {
            key,
            client: client.downgrade(),
        });
        client
    }

    fn start(&self, dialect: Dialect) -> XdsSource {
        let executor = Executor::tokio(self.runtime.clone());
        let dialer = Dialer::new(executor.clone());
        let connect = move |server: &Server| -> Connecting {
            let (dialer, server) = (dialer.clone(), server.clone());
            Box::pin(async move { Ok(Channel::new(dialer.dial(&server).await?)) })
        };
        let filters = self.filters.clone();
        let mut options = XdsOptions::new(dialect);
        options.variant = self.variant;
        options.decode =
            DecodeOptions::new(dialect).with_filters(move |type_url| filters.knows(type_url));
        let (source, driver) = XdsSource::new(self.bootstrap.clone(), connect, options);
        executor.spawn(driver);
        self.observers.control_plane(source.numbers());
        source
    }
}

impl Key {
    fn same(&self, other: &Self) -> bool {
        self.runtime == other.runtime
            && self.dialect == other.dialect
            && self.variant == other.variant
            && self.filters == other.filters
            && self.observers.same(&other.observers)
            && self.bootstrap == other.bootstrap
    }
}
