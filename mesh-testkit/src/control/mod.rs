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
mod plane;
mod published;
mod resource;
mod service;
mod sotw;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_proto::envoy::service::discovery::v3::aggregated_discovery_service_server::AggregatedDiscoveryServiceServer;
use tokio::io::DuplexStream;
use tonic::{Code, Status};

use crate::net::{Address, Protocol, Server};
use crate::waiting::until;

use log::Answer;
pub use log::{AdsRequest, AdsResponse, StreamKind};
use plane::{Plane, Script, State};
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

/// What it has seen.
impl ControlPlane {
    /// How many streams of a kind are open.
    #[must_use]
    pub fn streams(&self, kind: StreamKind) -> usize {
        self.look(|state| {
            let streams = state.streams.values();
            streams.filter(|stream| stream.kind == kind).count()
        })
    }

    /// How many streams were ever opened; refused ones are not among them.
    #[must_use]
    pub fn streams_total(&self) -> u64 {
        self.look(|state| state.opened)
    }

    /// How many streams were refused.
    #[must_use]
    pub fn streams_refused(&self) -> u64 {
        self.look(|state| state.refused)
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.server.accepted()
    }

    /// How many connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> u64 {
        self.server.open()
    }

    /// The requests so far, oldest first; of very many, the last 10,000.
    #[must_use]
    pub fn requests(&self) -> Vec<AdsRequest> {
        self.look(|state| state.log.requests.iter().cloned().collect())
    }

    /// The requests of one type.
    #[must_use]
    pub fn requests_of(&self, type_url: &str) -> Vec<AdsRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.type_url == type_url);
        requests
    }

    /// How many requests of a type there were.
    #[must_use]
    pub fn request_count(&self, type_url: &str) -> u64 {
        self.look(|state| state.log.request_counts.get(type_url).copied().unwrap_or(0))
    }

    /// The responses so far, oldest first; of very many, the last 10,000.
    #[must_use]
    pub fn responses(&self) -> Vec<AdsResponse> {
        self.look(|state| state.log.responses.iter().cloned().collect())
    }

    /// How many bytes of responses were sent, before framing.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.look(|state| state.log.bytes_sent)
    }

    /// The versions of a type that were accepted, in order.
    #[must_use]
    pub fn acks(&self, type_url: &str) -> Vec<String> {
        self.answers(type_url, |answer| match answer {
            Answer::Ack(version) => Some(version.clone()),
            Answer::Nack(..) => None,
        })
    }

    /// The versions of a type that were refused, with the reason, in order.
    #[must_use]
    pub fn nacks(&self, type_url: &str) -> Vec<(String, String)> {
        self.answers(type_url, |answer| match answer {
            Answer::Nack(version, why) => Some((version.clone(), why.clone())),
            Answer::Ack(_) => None,
        })
    }

    /// Whether clients have accepted what is live of a type, as far as they are subscribed to it.
    /// Of names taken away only listeners and clusters count: nothing tells of others, but deltas.
    #[must_use]
    pub fn is_acked(&self, type_url: &str) -> bool {
        let subscribed = self.subscribed(type_url);
        let relevant = |published: &Published| published.relevant(type_url, &subscribed);
        let Some(needed) = self.plane.read(relevant) else {
            return false;
        };
        let last = self.answers(type_url, |answer| Some(answer.clone())).pop();
        matches!(last, Some(Answer::Ack(version)) if version.parse().is_ok_and(|version: u64| version >= needed))
    }

    /// All names of a type that open streams are subscribed to; `*` for a wildcard.
    #[must_use]
    pub fn subscribed(&self, type_url: &str) -> BTreeSet<String> {
        self.look(|state| {
            let streams = state.streams.values();
            let names = streams.filter_map(|stream| stream.subscribed.get(type_url));
            names.flatten().cloned().collect()
        })
    }

    /// Waits until `reached` holds; it is asked again whenever anything was seen or said.
    ///
    /// # Panics
    /// After 30 s, naming `what` and the last requests and responses.
    pub async fn wait_for(&self, what: &str, mut reached: impl FnMut(&Self) -> bool) {
        let changes = self.plane.changes();
        until(changes, what, || reached(self), || self.describe()).await;
    }

    /// Waits until what is live of a type is accepted; see [`is_acked`](Self::is_acked).
    ///
    /// # Panics
    /// After 30 s.
    pub async fn wait_acked(&self, type_url: &str) {
        let what = format!("an ACK of {type_url}");
        self.wait_for(&what, |plane| plane.is_acked(type_url)).await;
    }

    /// Waits until there were this many refusals of a type, and gives the last one's reason.
    ///
    /// # Panics
    /// After 30 s.
    pub async fn wait_nacked(&self, type_url: &str, count: usize) -> String {
        let what = format!("{count} NACKs of {type_url}");
        self.wait_for(&what, |plane| plane.nacks(type_url).len() >= count)
            .await;
        let last = self.nacks(type_url).pop();
        last.map(|(_, why)| why).unwrap_or_default()
    }

    fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.plane.look(look)
    }

    fn answers<T>(&self, type_url: &str, pick: impl Fn(&Answer) -> Option<T>) -> Vec<T> {
        self.look(|state| {
            let answers = state.log.answers.iter();
            let of_type = answers.filter(|(of, ..)| of == type_url);
            of_type.filter_map(|(.., answer)| pick(answer)).collect()
        })
    }

    fn describe(&self) -> String {
        self.look(|state| {
            let mut text = format!(
                "{} of {} streams open, {} refused",
                state.streams.len(),
                state.opened,
                state.refused
            );
            for request in state.log.requests.iter().rev().take(8).rev() {
                let _ = write!(text, "\n{request:?}");
            }
            for response in state.log.responses.iter().rev().take(8).rev() {
                let _ = write!(text, "\n{response:?}");
            }
            text
        })
    }
}
