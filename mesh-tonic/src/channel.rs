//! The channel.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::FutureExt as _;
use http::{
    Extensions, Request, Response, StatusCode, Uri,
    uri::{Authority, InvalidUri, Scheme},
};
use mesh_core::{
    config::Dialect,
    observe::GrpcMethod,
    policy::{
        grpc_status::{GRPC_STATUS, GrpcCodes},
        matcher::grpc,
    },
};
use mesh_tower::{HttpClient, WaitForReady};
use tonic::{Status, body::Body};
use tower_service::Service;

use crate::{
    body::ChannelBody,
    status::{status_of, status_of_foreign},
};

/// A gRPC channel through the mesh. Cheap to clone, always ready; connections are made as the
/// cluster's balancing asks.
///
/// ```
/// use mesh_core::{config::Dialect, source::FixedSource};
/// use mesh_tonic::MeshChannel;
/// use mesh_tower::Mesh;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mesh = Mesh::builder().source(FixedSource::new()).spawn()?;
/// let channel = MeshChannel::new(mesh.http_client("greeter"), "greeter", Dialect::Grpc)?;
/// // A generated client takes the channel: `GreeterClient::new(channel)`.
/// let client = tonic::client::Grpc::new(channel);
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MeshChannel {
    client: HttpClient,
    authority: Authority,
    codes: GrpcCodes,
    wait_for_ready: bool,
}

impl MeshChannel {
    /// A channel over `client`, whose calls have this authority unless they bring their own.
    ///
    /// # Errors
    /// When `authority` is none.
    pub fn new(client: HttpClient, authority: &str, dialect: Dialect) -> Result<Self, InvalidUri> {
        Ok(Self {
            client: client.for_calls(generated),
            authority: Authority::try_from(authority)?,
            codes: GrpcCodes::of(dialect),
            wait_for_ready: false,
        })
    }

    /// Whether calls wait, until their deadline, for an endpoint where they would fail at once.
    /// Default: they do not. A call that carries [`WaitForReady`] in its extensions decides itself.
    #[must_use]
    pub const fn wait_for_ready(mut self, wait: bool) -> Self {
        self.wait_for_ready = wait;
        self
    }

    /// Waits until the target has a configuration and one of its endpoints is connected.
    ///
    /// # Errors
    /// UNAVAILABLE with what was missing, after 15 s or when the target has no configuration.
    pub async fn ready(&self) -> Result<(), Status> {
        self.client
            .ready()
            .await
            .map_err(|error| status_of(error, self.codes))
    }

    /// Makes of a generated client's request, which has a path alone, one that can be routed.
    fn prepare(&self, request: &mut Request<Body>) {
        let mut uri = std::mem::take(request.uri_mut()).into_parts();
        uri.scheme.get_or_insert(Scheme::HTTP);
        uri.authority.get_or_insert_with(|| self.authority.clone());
        // With scheme, authority and a path the parts always make a URI.
        *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
        if self.wait_for_ready && request.extensions().get::<WaitForReady>().is_none() {
            request.extensions_mut().insert(WaitForReady(true));
        }
    }
}

impl Service<Request<Body>> for MeshChannel {
    type Response = Response<ChannelBody>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        self.prepare(&mut request);
        let codes = self.codes;
        Box::pin(self.client.send(request).map(move |answer| match answer {
            Ok(response) if is_foreign(&response) => Err(status_of_foreign(&response)),
            Ok(response) => Ok(response.map(|body| ChannelBody::new(body, codes))),
            Err(error) => Err(status_of(error, codes)),
        }))
    }
}

/// The method of a call by generated code; others could call themselves anything.
fn generated(extensions: &Extensions) -> Option<GrpcMethod> {
    let called = extensions.get::<tonic::GrpcMethod<'static>>()?;
    GrpcMethod::of(called.service(), called.method())
}

/// Whether an answer is an error that is not gRPC's, as from a proxy on the way. Its body is none of
/// the caller's messages.
fn is_foreign<B>(response: &Response<B>) -> bool {
    response.status() != StatusCode::OK
        && !response.headers().contains_key(&GRPC_STATUS)
        && !grpc::is_grpc(response.headers())
}
