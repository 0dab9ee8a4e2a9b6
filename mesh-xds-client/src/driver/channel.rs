//! The seam to whoever can dial: a function from a server to a channel that takes HTTP requests.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use mesh_core::server::Server;
use tower_service::Service;

/// Any error, for its text.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type ResponseFuture = BoxFuture<Result<Response<tonic::body::Body>, BoxError>>;

/// Makes connections to control planes. Any function of that shape is one.
///
/// The connection must speak HTTP/2 and do so by itself: the driver has no tasks. It may be closed
/// once its [`Channel`] and the responses that came over it are dropped. Keepalive is its matter:
/// without, a control plane that vanishes without a word is not missed. An attempt that takes
/// longer than 20 s is given up.
pub trait Connector: Send + Sync + 'static {
    /// Connects to `server` with its credentials.
    ///
    /// # Errors
    /// It cannot: the text is shown to users whose configuration is missing.
    fn connect(&self, server: &Server) -> BoxFuture<Result<Channel, BoxError>>;
}

impl<F> Connector for F
where
    F: Fn(&Server) -> BoxFuture<Result<Channel, BoxError>> + Send + Sync + 'static,
{
    fn connect(&self, server: &Server) -> BoxFuture<Result<Channel, BoxError>> {
        self(server)
    }
}

/// A connection to a control plane: HTTP requests in, HTTP responses out.
pub struct Channel(Box<dyn Exchange>);

/// The body of a request to a control plane.
pub struct RequestBody(tonic::body::Body);

impl Channel {
    /// A channel over a service. Requests have an absolute URI: `http` or `https`, the server's
    /// host and port (`localhost` for a Unix socket) and the path of a gRPC method.
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Box::new(Boxing(service)))
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

/// A service behind a pointer.
trait Exchange: Send {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>>;
    fn call(&mut self, request: Request<RequestBody>) -> ResponseFuture;
}

/// Boxes what a service gives.
struct Boxing<S>(S);

impl<S, B> Exchange for Boxing<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<RequestBody>) -> ResponseFuture {
        let response = self.0.call(request);
        Box::pin(async move {
            let response = response.await.map_err(Into::into)?;
            Ok(response.map(tonic::body::Body::new))
        })
    }
}

impl Service<Request<tonic::body::Body>> for Channel {
    type Response = Response<tonic::body::Body>;
    type Error = BoxError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> ResponseFuture {
        self.0.call(request.map(RequestBody))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.0).poll_frame(cx);
        frame.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").finish_non_exhaustive()
    }
}
