//! One ADS stream: requests go in through a short queue, responses come out one at a time.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http::Uri;
use mesh_core::server::{ChannelCredentials, Server, ServerAddress};
use mesh_proto::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::channel::Channel;
use crate::protocol::{AdsRequest, AdsResponse, Variant};

/// A turn makes one request a type, so that this holds a few turns.
const QUEUED_REQUESTS: usize = 16;

/// An open stream. Dropped, it ends.
pub(super) struct AdsStream {
    pub(super) requests: mpsc::Sender<AdsRequest>,
    pub(super) responses: Pin<Box<dyn Stream<Item = Result<AdsResponse, Status>> + Send>>,
}

impl AdsStream {
    /// Opens a stream. Requests may be queued at once and are sent with the opening: a server may
    /// keep its headers back until it has something to answer.
    pub(super) fn open(
        channel: Channel,
        server: &Server,
        variant: Variant,
        max_message_size: usize,
    ) -> Self {
        let (requests, queue) = mpsc::channel(QUEUED_REQUESTS);
        let queue = ReceiverStream::new(queue);
        let mut client = AggregatedDiscoveryServiceClient::with_origin(channel, origin(server))
            .max_decoding_message_size(max_message_size);
        let responses = match variant {
            Variant::Sotw => {
                let queue = tokio_stream::StreamExt::filter_map(queue, |request| match request {
                    AdsRequest::Sotw(request) => Some(request),
                    AdsRequest::Delta(_) => None,
                });
                let opened = async move {
                    let response = client.stream_aggregated_resources(queue).await?;
                    Ok::<_, Status>(keeping(client, response.into_inner()))
                };
                stream::once(opened).try_flatten().boxed()
            }
            Variant::Delta => {
                let queue = tokio_stream::StreamExt::filter_map(queue, |request| match request {
                    AdsRequest::Delta(request) => Some(request),
                    AdsRequest::Sotw(_) => None,
                });
                let opened = async move {
                    let response = client.delta_aggregated_resources(queue).await?;
                    Ok::<_, Status>(keeping(client, response.into_inner()))
                };
                stream::once(opened).try_flatten().boxed()
            }
        };
        Self {
            requests,
            responses,
        }
    }
}

/// The responses, holding the connection open while they come.
fn keeping<C, T>(
    client: C,
    responses: impl Stream<Item = Result<T, Status>>,
) -> impl Stream<Item = Result<AdsResponse, Status>>
where
    AdsResponse: From<T>,
{
    responses.map(move |response| {
        let _ = &client;
        response.map(AdsResponse::from)
    })
}

/// Scheme and authority of requests to a server.
fn origin(server: &Server) -> Uri {
    let scheme = match server.credentials {
        ChannelCredentials::Insecure => "http",
        ChannelCredentials::Tls(_) => "https",
    };
    let authority = match &server.address {
        ServerAddress::Unix(_) => "localhost".to_owned(),
        address @ ServerAddress::Host { .. } => address.to_string(),
    };
    let uri = Uri::builder().scheme(scheme).authority(authority);
    // A host that is none is refused with the bootstrap; the connector would fail on it anyway.
    uri.path_and_query("/").build().unwrap_or_default()
}
