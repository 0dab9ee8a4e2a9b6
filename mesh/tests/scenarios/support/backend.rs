//! A backend of either kind.

use std::{net::SocketAddr, time::Duration};

use mesh_testkit::{EchoServer, GrpcEcho, echo::Behaviour};
use tonic::Code;

use super::{Setup, Wire};

/// A server that reports what it saw, under its name.
#[derive(Debug)]
pub(crate) enum Backend {
    Grpc(GrpcEcho),
    Http(EchoServer),
}

macro_rules! either {
    ($self:ident, $server:ident => $act:expr) => {
        match $self {
            Self::Grpc($server) => $act,
            Self::Http($server) => $act,
        }
    };
}

impl Backend {
    pub(crate) fn start(setup: Setup, id: &str) -> Self {
        match setup.wire {
            Wire::Grpc => Self::Grpc(GrpcEcho::start(id)),
            Wire::Http1 => Self::Http(EchoServer::http1().server_id(id).start()),
            Wire::Http2 => Self::Http(EchoServer::http2().server_id(id).start()),
        }
    }

    pub(crate) fn socket(&self) -> SocketAddr {
        either!(self, it => it.socket())
    }

    pub(crate) fn count(&self) -> u64 {
        either!(self, it => it.count())
    }

    pub(crate) fn connections(&self) -> u64 {
        either!(self, it => it.connections())
    }

    pub(crate) fn hold(&self) {
        either!(self, it => it.hold());
    }

    pub(crate) fn release(&self) {
        either!(self, it => it.release());
    }

    pub(crate) async fn stop(&self) {
        either!(self, it => it.stop().await);
    }

    pub(crate) async fn restart(&self) {
        either!(self, it => it.restart().await);
    }

    pub(crate) async fn drain(&self) {
        either!(self, it => it.drain().await);
    }

    pub(crate) fn delay(&self, delay: Duration) {
        match self {
            Self::Grpc(it) => it.delay(delay),
            Self::Http(it) => it.always(Behaviour::delay(delay)),
        }
    }

    /// Fails the next calls: with UNAVAILABLE, or 503.
    pub(crate) fn fail_next(&self, count: usize) {
        match self {
            Self::Grpc(it) => it.fail_next(count, Code::Unavailable),
            Self::Http(it) => it.next(count, Behaviour::status(503)),
        }
    }

    pub(crate) async fn wait_in_flight(&self, count: u64) {
        let what = format!("{count} in flight");
        match self {
            Self::Grpc(it) => it.wait_for(&what, |it| it.in_flight() == count).await,
            Self::Http(it) => it.wait_for(&what, |it| it.in_flight() == count).await,
        }
    }

    /// Waits until no connection is open.
    pub(crate) async fn wait_disconnected(&self) {
        let what = "all connections to end";
        match self {
            Self::Grpc(it) => it.wait_for(what, |it| it.open_connections() == 0).await,
            Self::Http(it) => it.wait_for(what, |it| it.open_connections() == 0).await,
        }
    }
}
