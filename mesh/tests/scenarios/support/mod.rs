//! What scenarios are made of: a control plane, backends, a client, calls that run all the time.

mod backend;
mod call;
mod load;
mod world;

use std::{future::Future, time::Duration};

use mesh::Variant;

pub(crate) use self::{
    backend::Backend,
    call::{Call, Client, Failure, Reply},
    load::Load,
    world::{NODE, ROUTES, TARGET, World, bootstrap, client},
};

/// How long anything may take. Reached only by a failing test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What is spoken to backends: gRPC by a channel in dialect grpc, the others by an HTTP client in
/// dialect envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Grpc,
    Http1,
    Http2,
}

/// What a scenario runs over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) wire: Wire,
    pub(crate) variant: Variant,
}

impl Setup {
    pub(crate) const GRPC: Self = Self {
        wire: Wire::Grpc,
        variant: Variant::Sotw,
    };
    pub(crate) const HTTP1: Self = Self {
        wire: Wire::Http1,
        variant: Variant::Sotw,
    };
    pub(crate) const HTTP2: Self = Self {
        wire: Wire::Http2,
        variant: Variant::Sotw,
    };

    pub(crate) const fn delta(self) -> Self {
        Self {
            variant: Variant::Delta,
            ..self
        }
    }

    pub(crate) fn is_grpc(self) -> bool {
        self.wire == Wire::Grpc
    }

    /// One of two values, by dialect.
    pub(crate) fn pick<T>(self, grpc: T, envoy: T) -> T {
        if self.is_grpc() { grpc } else { envoy }
    }
}

/// Makes tests of scenarios, `async fn(Setup)`: one for each wire.
macro_rules! on_each_wire {
    ($($name:ident),* $(,)?) => {
        mod grpc { $(
            #[tokio::test]
            async fn $name() { super::$name($crate::support::Setup::GRPC).await; }
        )* }
        mod http1 { $(
            #[tokio::test]
            async fn $name() { super::$name($crate::support::Setup::HTTP1).await; }
        )* }
        mod http2 { $(
            #[tokio::test]
            async fn $name() { super::$name($crate::support::Setup::HTTP2).await; }
        )* }
    };
}

/// The same for each wire and each variant of the xDS protocol.
macro_rules! on_each_wire_and_variant {
    ($($name:ident),* $(,)?) => {
        on_each_wire!($($name),*);
        mod grpc_delta { $(
            #[tokio::test]
            async fn $name() { super::$name($crate::support::Setup::GRPC.delta()).await; }
        )* }
        mod http1_delta { $(
            #[tokio::test]
            async fn $name() { super::$name($crate::support::Setup::HTTP1.delta()).await; }
        )* }
        mod http2_delta { $(
            #[tokio::test]
            async fn $name() { super::$name($crate::support::Setup::HTTP2.delta()).await; }
        )* }
    };
}

/// Waits for what must come.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}
