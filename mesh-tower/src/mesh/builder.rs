//! Putting a mesh together.

use std::sync::{Arc, Mutex};

use mesh_core::{
    config::Dialect,
    entropy::Entropy,
    filter::FilterRegistry,
    observe::{Observer, Several},
    policy::grpc_status::GrpcCodes,
    runtime::Registry,
    source::ConfigSource,
};
use tokio::sync::mpsc;

use super::{Mesh, MeshDriver, Shared, apply::Clusters};
use crate::connect::{Connect, Executor, Pools, TcpConnect};

/// What a mesh is made of. Everything has a default but the source of its configuration.
#[derive(Debug, Default)]
pub struct MeshBuilder {
    source: Option<Arc<dyn ConfigSource>>,
    connect: Option<Arc<dyn Connect>>,
    executor: Option<Executor>,
    filters: FilterRegistry,
    registry: Registry,
    observers: Several,
    dialect: Option<Dialect>,
    seed: Option<u64>,
}

/// A mesh cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No source was given.
    #[error("a mesh needs a source of configuration")]
    NoSource,
    /// No executor was given, and there is no tokio runtime here to take.
    #[error("a mesh is built inside a tokio runtime, or with an executor")]
    NoRuntime,
}

impl MeshBuilder {
    /// Where configuration comes from.
    #[must_use]
    pub fn source(mut self, source: impl ConfigSource) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// How connections are made. Default: TCP with no delay, and Unix sockets.
    #[must_use]
    pub fn connect(mut self, connect: impl Connect) -> Self {
        self.connect = Some(Arc::new(connect));
        self
    }

    /// Where connections run. Default: the tokio runtime in which the mesh is built.
    #[must_use]
    pub fn executor(mut self, executor: Executor) -> Self {
        self.executor = Some(executor);
        self
    }

    /// The live state of clusters and endpoints that this mesh shares with others of the process, as
    /// workers do that each run on a thread of their own: load, limits and connectivity are counted
    /// over all of them. Default: its own.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// The filters that configuration may ask for, besides those built in.
    #[must_use]
    pub fn filters(mut self, filters: FilterRegistry) -> Self {
        self.filters = filters;
        self
    }

    /// Who is told of requests, besides those named before. Default: nobody, which costs nothing.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// By whose table observers are told the gRPC code of a call that failed here. Default: gRPC's.
    #[must_use]
    pub const fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Makes routing decisions repeat themselves: for tests and demonstrations.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The mesh, and the driver that must be polled for it to learn anything.
    ///
    /// # Errors
    /// Without a source, or outside a tokio runtime and without an executor.
    pub fn build(self) -> Result<(Mesh, MeshDriver), BuildError> {
        let source = self.source.ok_or(BuildError::NoSource)?;
        let executor = self.executor.map_or_else(current, Ok)?;
        let connect = self
            .connect
            .unwrap_or_else(|| Arc::new(TcpConnect::default()));
        let entropy = self.seed.map_or_else(Entropy::system, Entropy::seeded);
        let (opened, targets) = mpsc::unbounded_channel();
        let (started, clusters) = mpsc::unbounded_channel();
        let pools = Pools::new(connect, executor);
        let driver = MeshDriver::new(
            source,
            targets,
            clusters,
            pools.clone(),
            self.observers.clone(),
        );
        let clusters = Clusters::new(
            pools,
            self.registry,
            self.filters,
            self.observers,
            entropy,
            started,
        );
        let shared = Shared {
            targets: Mutex::default(),
            clusters: Arc::new(clusters),
            codes: GrpcCodes::of(self.dialect.unwrap_or(Dialect::Grpc)),
            opened,
        };
        Ok((Mesh(Arc::new(shared)), driver))
    }

    /// The mesh, with its driver running on the executor.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn spawn(mut self) -> Result<Mesh, BuildError> {
        let executor = self.executor.take().map_or_else(current, Ok)?;
        let (mesh, driver) = self.executor(executor.clone()).build()?;
        executor.spawn(driver);
        Ok(mesh)
    }
}

/// The runtime that this code runs in.
fn current() -> Result<Executor, BuildError> {
    let handle = tokio::runtime::Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
    Ok(Executor::tokio(handle))
}
