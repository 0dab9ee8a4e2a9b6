//! Fallback between control planes (gRFC A71).
//!
//! The next server of the bootstrap is turned to when the one in use cannot be reached and
//! something is wanted of which nothing is known, neither a value nor its absence: a client that
//! has everything never falls back. All subscriptions move over and everything cached stays.
//! Meanwhile the preferred servers are probed, and the first response of one moves all back.
//!
//! It differs from the gRFC in that a preferred server is not subscribed to while it is probed: it
//! is asked for one type, and the subscriptions move once it has answered.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use mesh_proto::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::{CONNECT_TIMEOUT, Client, Connector, stream::AdsStream};
use crate::{
    bootstrap::Bootstrap,
    protocol::{AdsRequest, Variant},
    resource::ResourceType,
    source::Shared,
};

/// How long a probed server may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// The pause between two rounds of probes: as between two connections, a fifth more or less at
/// random (gRFC A27).
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

impl Client {
    /// Whether it is time for the next server.
    pub(super) fn should_fall_back(&self) -> bool {
        let (ads, servers) = (self.ads(), self.bootstrap().servers().len());
        self.server_index() + 1 < servers
            && ads.connection_error().is_some()
            && ads
                .resources()
                .any(|(.., entry)| entry.value().is_none() && entry.error().is_none())
    }

    /// A request that shows whether a server answers: for all names of the first type that is
    /// wanted. `None` if nothing is.
    fn probe_request(&self, variant: Variant) -> Option<AdsRequest> {
        let wanted = |kind| {
            let resources = self.ads().resources().filter(move |(of, ..)| *of == kind);
            resources.map(|(_, name, _)| name.to_string())
        };
        let kind = ResourceType::ALL
            .into_iter()
            .find(|kind| wanted(*kind).next().is_some())?;
        let node = Some(self.ads().config().node.clone());
        let (type_url, names) = (kind.type_url().to_owned(), wanted(kind).collect());
        Some(match variant {
            Variant::Sotw => AdsRequest::Sotw(DiscoveryRequest {
                node,
                type_url,
                resource_names: names,
                ..DiscoveryRequest::default()
            }),
            Variant::Delta => AdsRequest::Delta(DeltaDiscoveryRequest {
                node,
                type_url,
                resource_names_subscribe: names,
                ..DeltaDiscoveryRequest::default()
            }),
        })
    }
}

/// What probes need.
pub(super) struct Probe {
    pub(super) bootstrap: Arc<Bootstrap>,
    pub(super) shared: Arc<Shared>,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) variant: Variant,
    pub(super) max_message_size: usize,
}

impl Probe {
    /// Waits for a server that is preferred to the one at `place` to answer; gives its place.
    pub(super) fn better_than(self, place: usize) -> Pin<Box<dyn Future<Output = usize> + Send>> {
        Box::pin(async move {
            let seed = self.shared.with_client(|client| client.ads().config().seed);
            let mut random = fastrand::Rng::with_seed(seed);
            let mut pause = FIRST_PAUSE;
            loop {
                sleep(pause.mul_f64(random.f64().mul_add(0.4, 0.8))).await;
                pause = pause.mul_f64(1.6).min(LONGEST_PAUSE);
                for better in 0..place {
                    if self.answers(better).await {
                        return better;
                    }
                }
            }
        })
    }

    async fn answers(&self, place: usize) -> bool {
        let server = &self.bootstrap.servers()[place].server;
        let request = self
            .shared
            .with_client(|client| client.probe_request(self.variant));
        let Some(request) = request else {
            return false;
        };
        let connecting = self.connector.connect(server);
        let Ok(Ok(channel)) = timeout(CONNECT_TIMEOUT, connecting).await else {
            debug!(
                server = &*server.uri,
                "a preferred xDS server cannot be reached"
            );
            return false;
        };
        let mut stream = AdsStream::open(channel, server, self.variant, self.max_message_size);
        if stream.requests.send(request).await.is_err() {
            return false;
        }
        let answer = timeout(ANSWER_TIMEOUT, stream.responses.next()).await;
        let answers = matches!(answer, Ok(Some(Ok(_))));
        debug!(
            server = &*server.uri,
            answers, "a preferred xDS server was asked"
        );
        answers
    }
}
