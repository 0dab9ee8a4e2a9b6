//! A server of any kind.

use std::net::SocketAddr;

use mesh_testkit::{EchoServer, GrpcEcho};

use super::Wire;

#[derive(Debug)]
pub(super) enum Server {
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

impl Server {
    pub(super) fn start(wire: Wire, id: &str) -> Self {
        match wire {
            Wire::Grpc => Self::Grpc(GrpcEcho::start(id)),
            Wire::Http1 => Self::Http(EchoServer::http1().server_id(id).start()),
            Wire::Http2 => Self::Http(EchoServer::http2().server_id(id).start()),
        }
    }

    pub(super) fn socket(&self) -> SocketAddr {
        either!(self, it => it.socket())
    }

    pub(super) fn count(&self) -> u64 {
        either!(self, it => it.count())
    }

    pub(super) fn connections(&self) -> u64 {
        either!(self, it => it.connections())
    }

    pub(super) fn open(&self) -> u64 {
        either!(self, it => it.open_connections())
    }

    pub(super) fn in_flight(&self) -> u64 {
        either!(self, it => it.in_flight())
    }

    pub(super) fn goaway(&self) {
        either!(self, it => it.goaway());
    }

    pub(super) async fn disconnect(&self) {
        either!(self, it => it.disconnect().await);
    }

    pub(super) async fn stop(&self) {
        either!(self, it => it.stop().await);
    }

    pub(super) async fn restart(&self) {
        either!(self, it => it.restart().await);
    }

    pub(super) async fn drain(&self) {
        either!(self, it => it.drain().await);
    }
}
