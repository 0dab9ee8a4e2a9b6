//! Dialling: making one connection in time, and how that fails.

use std::{
    future::Future,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use mesh_core::{
    ErrorKind,
    config::Limits,
    error::Causes,
    runtime::{ClusterState, ConnectionPermit, ConnectivityReport},
};

use super::REDIAL;
use crate::{
    clock,
    connect::{Connect, Executor, Io},
};

/// How an endpoint is dialled, and where that is reported.
/// One for each pool, shared by its tasks.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) connect: Arc<dyn Connect>,
    pub(super) executor: Executor,
    pub(super) report: ConnectivityReport,
    pub(super) cluster: Arc<ClusterState>,
    pub(super) timeout: Duration,
}

/// Why there is no connection.
#[derive(Clone, Debug)]
pub(super) struct DialError {
    pub(super) kind: ErrorKind,
    pub(super) reason: Arc<str>,
}

/// A pool's last attempt that gave no connection.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: DialError,
    at: Instant,
}

impl Failed {
    pub(super) fn now(error: DialError) -> Self {
        let at = clock::now();
        Self { error, at }
    }

    /// Whether it is too early for the next beside live connections.
    pub(super) fn only_just(&self) -> bool {
        clock::now() < self.at + REDIAL
    }
}

impl DialError {
    pub(super) fn new(reason: impl Into<Arc<str>>) -> Self {
        let (kind, reason) = (ErrorKind::Connect, reason.into());
        Self { kind, reason }
    }
}

impl Dialer {
    /// Makes a byte stream, and over it whatever `begin` makes, both within the connect timeout.
    pub(super) async fn dial<T, F>(
        &self,
        begin: impl FnOnce(Box<dyn Io>) -> F,
    ) -> Result<T, DialError>
    where
        F: Future<Output = io::Result<T>>,
    {
        let connecting = async {
            let io = self
                .connect
                .connect(self.report.endpoint().address())
                .await?;
            begin(io).await
        };
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(connected) => connected.map_err(|error| DialError::new(Causes(&error).to_string())),
            Err(_) => Err(DialError {
                kind: ErrorKind::ConnectTimeout,
                reason: format!("no connection within {:?}", self.timeout).into(),
            }),
        }
    }

    /// Whether the endpoint may be dialled now; if it failed only just now, how: as `failed`, the
    /// pool's own last failure, or, if another mesh tried, as that one said.
    pub(super) fn may_dial(&self, failed: Option<&DialError>) -> Result<(), DialError> {
        let endpoint = self.report.endpoint();
        if endpoint.may_connect(clock::now()) {
            return Ok(());
        }
        Err(match (failed, endpoint.last_error()) {
            (Some(ours), _) => ours.clone(),
            (None, Some(reason)) => DialError::new(reason),
            (None, None) => DialError::new("it failed only just now"),
        })
    }

    /// Leave to hold one more connection. An endpoint that has none may always get one (Envoy,
    /// "circuit breaking").
    pub(super) fn permit(&self, open: usize, limits: Option<&Limits>) -> Option<ConnectionPermit> {
        match limits {
            Some(limits) if open > 0 => self.cluster.try_connection(limits),
            _ => Some(self.cluster.first_connection()),
        }
    }

    /// Reports what the pool has: connections, or dials under way, or nothing.
    pub(super) fn report(&self, open: usize, dials: usize) {
        match (open, dials) {
            (0, 0) => self.report.set_idle(clock::now()),
            (0, _) => self.report.set_connecting(),
            (_, _) => self.report.set_ready(),
        }
    }

    /// Reports that an attempt left no connection: the endpoint is left alone for a while.
    pub(super) fn failed(&self, error: &DialError) {
        let reason = Arc::clone(&error.reason);
        self.report
            .set_failed(clock::now(), fastrand::u64(..), reason);
    }
}
