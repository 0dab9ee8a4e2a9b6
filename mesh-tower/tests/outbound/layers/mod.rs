//! Layers around a client of hyper's, which knows nothing of the mesh, and around ours.

mod balance;
mod retry;
mod timeout;

use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::HOST};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use mesh_core::error::BoxError;
use mesh_testkit::echo::{EchoReport, EchoServer};
use mesh_tower::body::RequestBody;
use tower_service::Service;

/// One connection of hyper's for each request. It insists on being asked whether it is ready.
#[derive(Debug)]
pub(crate) struct Hyper {
    server: Arc<EchoServer>,
    ready: bool,
}

impl Hyper {
    pub(crate) fn to(server: &Arc<EchoServer>) -> Self {
        Self {
            server: Arc::clone(server),
            ready: false,
        }
    }
}

impl Clone for Hyper {
    fn clone(&self) -> Self {
        Self::to(&self.server)
    }
}

impl Service<Request<RequestBody>> for Hyper {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.ready {
            return Poll::Ready(Ok(()));
        }
        self.ready = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        assert!(self.ready, "called before it was ready");
        let server = Arc::clone(&self.server);
        Box::pin(async move {
            let io = TokioIo::new(server.connect_in_memory());
            let (mut sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            let host = HeaderValue::from_str(request.uri().authority().unwrap().as_str())?;
            request.headers_mut().insert(HOST, host);
            *request.uri_mut() = request.uri().path_and_query().unwrap().as_str().parse()?;
            Ok(sender.send_request(request).await?)
        })
    }
}

pub(crate) fn server(id: &str) -> Arc<EchoServer> {
    Arc::new(EchoServer::http1().server_id(id).start())
}

/// A request of which nothing is trivial.
pub(crate) fn order() -> Request<Full<Bytes>> {
    Request::post("http://eu.shop.test:8080/orders/7%2F8?sort=up&empty=")
        .header("x-twice", "a")
        .header("x-twice", "b")
        .body(Full::from("two apples"))
        .unwrap()
}

/// That it arrived as it was sent.
pub(crate) fn assert_order(seen: &EchoReport) {
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.path, "/orders/7%2F8?sort=up&empty=");
    assert_eq!(seen.authority, "eu.shop.test:8080");
    assert_eq!(seen.headers["x-twice"], ["a", "b"]);
    assert_eq!(seen.body.as_deref(), Some("two apples"));
}

/// Calls a service that must be ready at once.
pub(crate) async fn call<S, B>(
    service: &mut S,
    request: Request<B>,
) -> Result<S::Response, S::Error>
where
    S: Service<Request<B>>,
{
    poll_fn(|cx| {
        let ready = service.poll_ready(cx);
        assert!(ready.is_ready(), "a layer is always ready");
        ready
    })
    .await?;
    service.call(request).await
}

pub(crate) async fn report<B>(response: Response<B>) -> EchoReport
where
    B: Body<Data = Bytes, Error: std::fmt::Debug>,
{
    assert_eq!(response.status(), 200);
    EchoReport::parse(&response.into_body().collect().await.unwrap().to_bytes())
}

/// A service that is never ready.
#[derive(Clone, Debug)]
pub(crate) struct Broken;

impl Service<Request<RequestBody>> for Broken {
    type Response = Response<Incoming>;
    type Error = io::Error;
    type Future = std::future::Ready<Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Err(io::Error::other("out of order")))
    }

    fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
        unreachable!("called although it was not ready");
    }
}
