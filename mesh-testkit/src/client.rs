//! A bare gRPC connection, with nothing of the mesh in it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tower_service::Service;

/// One HTTP/2 connection as the transport of a generated client. The authority is that of
/// `with_origin(..)`, or `localhost`.
/// It ends after the last clone and the last response are dropped.
#[derive(Clone, Debug)]
pub struct GrpcConnection {
    sender: SendRequest<tonic::body::Body>,
}

impl GrpcConnection {
    /// Connects to a TCP address.
    ///
    /// # Errors
    /// If the connection or the handshake fails.
    pub async fn open(at: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        Self::over(stream).await
    }

    /// Runs over a stream that is connected already.
    ///
    /// # Errors
    /// If the handshake fails.
    pub async fn over(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> io::Result<Self> {
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(io))
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }
}

impl Service<Request<tonic::body::Body>> for GrpcConnection {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.sender.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<tonic::body::Body>) -> Self::Future {
        if request.uri().authority().is_none() {
            let mut parts = request.uri().clone().into_parts();
            parts.scheme = Some(Scheme::HTTP);
            parts.authority = Some(Authority::from_static("localhost"));
            *request.uri_mut() = Uri::from_parts(parts).expect("a path, as every call has one");
        }
        Box::pin(self.sender.send_request(request))
    }
}
