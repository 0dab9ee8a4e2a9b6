//! A connection to a server, as a service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use mesh_core::{Error, ErrorKind};
use tower_service::Service;

use super::origin::Origin;
use crate::{
    body::{BoxError, RequestBody, ResponseBody},
    connect::http2::Http2Connection,
};

/// One HTTP/2 connection to a server. Cheap to clone, always ready; it closes when the last clone is
/// gone and no call is open.
///
/// A request's path is sent as it is; scheme and authority become the server's. When the connection
/// is lost every call fails: dial again.
#[derive(Clone)]
pub struct ServerChannel {
    connection: Http2Connection,
    origin: Origin,
}

impl ServerChannel {
    pub(super) fn new(connection: Http2Connection, origin: Origin) -> Self {
        Self { connection, origin }
    }

    /// Completes when the connection is gone. Does not keep it open.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.connection.closed()
    }

    async fn send(
        self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Error> {
        self.origin.claim(&mut request)?;
        let Some(permit) = self.connection.reserve().await else {
            let cause = self
                .connection
                .close_cause()
                .unwrap_or("the server is leaving");
            let text = format!("the connection is gone: {cause}");
            return Err(self.name(Error::new(ErrorKind::Connect, text)));
        };
        let sent = permit.send(request).await;
        sent.map_err(|failure| self.name(failure.into()))
    }

    fn name(&self, error: Error) -> Error {
        error.at_endpoint(self.origin.authority().as_str())
    }
}

impl<B> Service<Request<B>> for ServerChannel
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Boxed as it is: a stream of requests to a control plane has no first frame to wait for.
        Box::pin(self.clone().send(request.map(RequestBody::boxed)))
    }
}

impl fmt::Debug for ServerChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerChannel")
            .field("authority", self.origin.authority())
            .field("state", &self.connection.state())
            .finish_non_exhaustive()
    }
}
