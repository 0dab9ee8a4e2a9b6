//! Connection pools: one per endpoint and mesh, of one protocol.

mod brief;
mod dial;
mod error;
mod http1;
mod http2;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use http::{Request, Response};
use mesh_core::{
    Error, ErrorKind,
    config::{ClusterConfig, Limits, Protocol, Transport},
    runtime::{ClusterRuntime, ClusterState, ConnectivityReport, Endpoint, EndpointState},
};

pub(crate) use self::error::{SendError, too_many};
use self::{
    dial::{DialError, Dialer, Failed},
    http1::Http1Pool,
    http2::Http2Pool,
};
use super::{Connect, Executor};
use crate::{
    body::{RequestBody, ResponseBody},
    clock,
};

/// Makes the pools of a mesh.
#[derive(Clone, Debug)]
pub(crate) struct Pools {
    connect: Arc<dyn Connect>,
    executor: Executor,
}

/// How often a request that a connection gave back unsent is offered to another, before the retry
/// layer decides.
const OFFERS: u32 = 3;

/// How long after a failed dial beside live connections the next may follow (without any, the
/// endpoint's own back-off counts), and how often a request that waits without a dial under way
/// looks whether one is possible: limits are the cluster's, and nobody tells when another pool leaves
/// room under them.
const REDIAL: Duration = Duration::from_secs(1);

/// The connections to one endpoint. They end, once their requests have, when the pool is dropped.
///
/// Connecting runs in tasks of its own: it serves whoever waits, and goes on when they leave. Every
/// such task reports its end to the pool even if it is dropped half-way (an executor that shuts
/// down), so that no request waits for what will not come.
#[derive(Debug)]
pub(crate) enum Pool {
    Http1(Http1Pool),
    Http2(Http2Pool),
    /// The cluster asks for a transport that we do not have: nothing is ever dialled.
    Refused(Arc<str>, ConnectivityReport),
}

impl Pools {
    pub(crate) fn new(connect: Arc<dyn Connect>, executor: Executor) -> Self {
        Self { connect, executor }
    }

    /// The pool of an endpoint, made when it is first asked for.
    pub(crate) fn of<'e>(
        &self,
        cluster: &ClusterRuntime<Pool>,
        endpoint: &'e Endpoint<Pool>,
    ) -> &'e Pool {
        endpoint.slot(|| self.pool(&cluster.config(), endpoint.state(), cluster.state()))
    }

    /// Connects to an endpoint ahead of requests, unless it is connected, being connected to, or
    /// failed only just now.
    pub(crate) fn start_connecting(
        &self,
        cluster: &ClusterRuntime<Pool>,
        endpoint: &Endpoint<Pool>,
    ) {
        match self.of(cluster, endpoint) {
            Pool::Http1(pool) => pool.start_connecting(),
            Pool::Http2(pool) => pool.start_connecting(),
            // Or requests would wait for a connection that never comes.
            Pool::Refused(reason, report) => {
                report.set_failed(clock::now(), fastrand::u64(..), Arc::clone(reason));
            }
        }
    }

    pub(super) fn pool(
        &self,
        config: &ClusterConfig,
        endpoint: &Arc<EndpointState>,
        cluster: &Arc<ClusterState>,
    ) -> Pool {
        if let Transport::Unsupported(reason) = &config.transport {
            return Pool::Refused(Arc::clone(reason), endpoint.report());
        }
        let dialer = Dialer {
            connect: Arc::clone(&self.connect),
            executor: self.executor.clone(),
            report: endpoint.report(),
            cluster: Arc::clone(cluster),
            timeout: config.connect_timeout,
        };
        match &config.protocol {
            Protocol::Http1(_) => Pool::Http1(Http1Pool::new(dialer, config)),
            Protocol::Http2(http2) => Pool::Http2(Http2Pool::new(dialer, config, http2)),
        }
    }
}

impl Pool {
    /// Sends a request over one of the connections, making one if need be, and waiting for one if
    /// `limits` allow no more. It is taken from its place once it has a connection, and put back if
    /// that gives it back.
    pub(crate) async fn send(
        &self,
        request: &mut Request<RequestBody>,
        limits: &Limits,
    ) -> Result<Response<ResponseBody>, SendError> {
        match self {
            // Boxed: it is large, and requests over HTTP/2 would carry the room for it.
            Self::Http1(pool) => Box::pin(pool.send(request, limits)).await,
            Self::Http2(pool) => pool.send(request, limits).await,
            Self::Refused(reason, _) => {
                let text = format!("the cluster's transport is not available: {reason}");
                Err(SendError::unsent(Error::new(ErrorKind::Tls, text)))
            }
        }
    }
}
