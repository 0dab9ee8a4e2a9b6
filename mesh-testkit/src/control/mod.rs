//! An ADS server in this process that a test scripts.
//!
//! It behaves as a real server of the state of the world and of deltas: a nonce for each response,
//! stale nonces skipped, full state for listeners and clusters, only what changed for routes and
//! endpoints, wildcards where the protocol has them. Versions count up by themselves, one a type.
//!
//! A type of which nothing was ever published is not answered at all; a name that is not published
//! among others is absent (state of the world) or removed (delta).

mod delta;
mod front;
mod log;
mod observe;
mod plane;
mod published;
mod resource;
mod service;
mod sotw;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_proto::envoy::service::discovery::v3::aggregated_discovery_service_server::AggregatedDiscoveryServiceServer;
use tokio::io::DuplexStream;
use tonic::{Code, Status};

use crate::net::{Address, Protocol, Server};

pub use log::{AdsRequest, AdsResponse, StreamKind};
use plane::{Plane, Script};
use published::Published;
pub use resource::{CDS, EDS, LDS, RDS, Resource, Resources, SDS};
pub use service::AdsService;

/// A control plane. Dropping it stops it.
#[derive(Debug)]
pub struct ControlPlane {
    plane: Arc<Plane>,
    server: Server,
}

/// Starting and stopping.
impl ControlPlane {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is none.
    #[expect(
        clippy::unused_async,
        reason = "it needs the runtime that an async caller has"
    )]
    pub async fn start() -> Self {
        Self::bind(Address::any()).expect("a free port of 127.0.0.1")
    }

    /// Listens at `at`: a socket address, or a path for a Unix socket.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub fn bind(at: impl Into<Address>) -> io::Result<Self> {
        let plane = Arc::<Plane>::default();
        let answer = Arc::new(AdsService::new(Arc::clone(&plane)));
        let changes = plane.changes_sender();
        let server = Server::start(at.into(), Protocol::Http2, None, answer, changes)?;
        Ok(Self { plane, server })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.server.address()
    }

    /// The IP address and port where it listens.
    ///
    /// # Panics
    /// If it listens on a Unix socket.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        self.address().socket()
    }

    /// A connection without a socket; closed at once if the server is stopped.
    #[must_use]
    pub fn connect_in_memory(&self) -> DuplexStream {
        self.server.connect_in_memory()
    }

    /// The service without a connection: `http` requests in, responses out.
    #[must_use]
    pub fn service(&self) -> AggregatedDiscoveryServiceServer<AdsService> {
        AggregatedDiscoveryServiceServer::new(AdsService::new(Arc::clone(&self.plane)))
    }

    /// Closes the listener and all connections, without a word. What is published stays.
    pub async fn stop(&self) {
        self.server.stop().await;
    }

    /// Stops if need be, and listens again at the same address, with the same resources.
    ///
    /// # Panics
    /// If the address cannot be bound again; the port is kept while the server is stopped.
    pub async fn restart(&self) {
        self.server.restart().await.expect("the same address again");
    }

    /// Closes all connections abruptly, and goes on listening.
    pub async fn disconnect_all(&self) {
        self.server.disconnect().await;
    }

    /// Sends GOAWAY on all connections, and goes on listening.
    pub fn goaway(&self) {
        self.server.goaway();
    }
}

/// What is published.
impl ControlPlane {
    /// Publishes resources at once, beside what there is: one new version for each type among them.
    pub fn set(&self, resources: impl Resources) {
        let mut list = Vec::new();
        resources.add_to(&mut list);
        self.plane.publish(|published| published.set(list));
    }

    /// Publishes bytes that need not decode.
    pub fn bad_resource(&self, type_url: &str, name: &str, bytes: &[u8]) {
        self.set(Resource::bad(type_url, name, bytes.to_vec()));
    }

    /// Publishes an error instead of a resource (`resource_errors`).
    pub fn resource_error(&self, type_url: &str, name: &str, code: Code, message: &str) {
        let code = i32::from(code);
        self.plane
            .publish(|published| published.set_error(type_url, name, code, message));
    }

    /// Takes a resource, or an error, away.
    pub fn remove(&self, type_url: &str, name: &str) {
        self.plane
            .publish(|published| published.remove(type_url, name));
    }

    /// Takes everything away.
    pub fn remove_all(&self) {
        self.plane.publish(Published::clear);
    }

    /// Publishes nothing until [`release`](Self::release): new streams still see what was live.
    pub fn hold(&self) {
        self.plane.change(|state| {
            if state.held.is_none() {
                state.held = Some(state.live.clone());
            }
        });
    }

    /// Publishes all that was set since [`hold`](Self::hold), at once.
    pub fn release(&self) {
        self.plane.change(|state| {
            if let Some(held) = state.held.take() {
                state.live = held;
            }
        });
    }

    /// The version of a type that is live; `0` if nothing of it was ever published.
    #[must_use]
    pub fn version(&self, type_url: &str) -> String {
        self.plane
            .read(|published| published.version(type_url).to_string())
    }
}

/// How it behaves.
impl ControlPlane {
    /// Waits this long before every response.
    pub fn delay(&self, delay: Duration) {
        self.script(|script| script.delay = delay);
    }

    /// Never sends the next `count` responses, and takes them for sent.
    pub fn drop_next_responses(&self, count: usize) {
        self.script(|script| script.drop_next = count);
    }

    /// Sends each response twice, the second time with another nonce.
    pub fn duplicate_responses(&self, on: bool) {
        self.script(|script| script.duplicate = on);
    }

    /// Sends each resource inside an `envoy.service.discovery.v3.Resource`, on streams of the state
    /// of the world that open from now on. Delta streams always do.
    pub fn wrap_resources(&self, on: bool) {
        self.script(|script| script.wrap = on);
    }

    /// Whether new streams fail with UNAVAILABLE.
    pub fn refuse_streams(&self, on: bool) {
        self.script(|script| script.refuse = on);
    }

    /// Ends all open streams with this status; their connections stay.
    pub fn end_streams(&self, status: Status) {
        self.plane.change(|state| {
            for stream in state.streams.values_mut() {
                stream.end = Some(status.clone());
            }
        });
    }

    fn script(&self, act: impl FnOnce(&mut Script)) {
        self.plane.change(|state| act(&mut state.script));
    }
}
