//! Dialling: making one byte stream in time, and telling the endpoint's state how it goes.

use std::{io, sync::Arc, time::Duration};

use mesh_core::{
    config::Limits,
    runtime::{ClusterState, ConnectionPermit, EndpointState},
};

use crate::{
    clock,
    connect::{Connect, Executor, Io},
};

/// How an endpoint is dialled.
#[derive(Clone, Debug)]
pub(super) struct Dialer {
    pub(super) connect: Arc<dyn Connect>,
    pub(super) executor: Executor,
    pub(super) endpoint: Arc<EndpointState>,
    pub(super) cluster: Arc<ClusterState>,
    pub(super) timeout: Duration,
}

impl Dialer {
    /// Makes a byte stream.
    pub(super) async fn dial(&self) -> io::Result<Box<dyn Io>> {
        let connecting = self.connect.connect(self.endpoint.address());
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(connected) => connected,
            Err(_) => {
                let text = format!("no connection within {:?}", self.timeout);
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
        }
    }

    /// Whether the endpoint may be dialled now; if it failed only just now, its last error.
    pub(super) fn may_dial(&self) -> Result<(), Arc<str>> {
        if self.endpoint.may_connect(clock::now()) {
            return Ok(());
        }
        Err(self
            .endpoint
            .last_error()
            .unwrap_or_else(|| "it failed only just now".into()))
    }

    /// Leave to hold one more connection. An endpoint that has none may always get one (Envoy,
    /// "circuit breaking").
    pub(super) fn permit(&self, open: usize, limits: Option<&Limits>) -> Option<ConnectionPermit> {
        match limits {
            Some(limits) if open > 0 => self.cluster.try_connection(limits),
            _ => Some(self.cluster.first_connection()),
        }
    }

    /// Reports that no connection could be made and none is left.
    pub(super) fn failed(&self, reason: Arc<str>) {
        self.endpoint
            .set_failed(clock::now(), fastrand::u64(..), reason);
    }
}
