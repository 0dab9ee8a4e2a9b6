//! A listener in front of a mesh on a fixed configuration.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mesh_core::{
    config::{
        Address, ClusterConfig, Dialect, Discovery, EndpointsConfig, Snapshot, SnapshotBuilder,
    },
    source::FixedSource,
};
use mesh_testkit::echo::EchoReport;
use mesh_tower::{
    Mesh,
    connect::Executor,
    listen::{Drain, ListenOptions, Listener, Proxy},
};
use tokio::{net::TcpStream, task::JoinHandle};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A listener that serves until it is drained.
pub(crate) struct Served {
    pub(crate) at: SocketAddr,
    pub(crate) drain: Drain,
    pub(crate) ended: JoinHandle<()>,
}

/// A listener whose requests all go to the HTTP/1.1 servers at these addresses.
pub(crate) fn serve_to(endpoints: &[SocketAddr]) -> Served {
    serve(to(endpoints), ListenOptions::default())
}

/// All requests to the HTTP/1.1 servers at these addresses.
pub(crate) fn to(endpoints: &[SocketAddr]) -> Snapshot {
    let endpoints = EndpointsConfig::of(endpoints.iter().copied().map(Address::Socket));
    let discovery = Discovery::Static(Arc::new(endpoints));
    let cluster = ClusterConfig::new("shop", discovery, Dialect::Envoy);
    SnapshotBuilder::new("in").cluster(cluster).build().unwrap()
}

pub(crate) fn serve(snapshot: Snapshot, options: ListenOptions) -> Served {
    let source = FixedSource::new();
    source.set("in", snapshot);
    let mesh = Mesh::builder().source(source).spawn().unwrap();
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), options).unwrap();
    let at = listener.address().unwrap();
    let (drain, draining) = Drain::new();
    let executor = Executor::tokio(tokio::runtime::Handle::current());
    let proxy = Proxy::new(mesh.http_client("in"));
    let ended = tokio::spawn(listener.serve(proxy, executor, draining));
    Served { at, drain, ended }
}

/// A client's connection, of either protocol.
pub(crate) enum Client {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    pub(crate) async fn http1(at: SocketAddr) -> Self {
        let io = TokioIo::new(TcpStream::connect(at).await.unwrap());
        let (sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        Self::Http1(sender)
    }

    pub(crate) async fn http2(at: SocketAddr) -> Self {
        let io = TokioIo::new(TcpStream::connect(at).await.unwrap());
        let handshake = http2::handshake(TokioExecutor::new(), io);
        let (sender, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    pub(crate) async fn both(at: SocketAddr) -> [Self; 2] {
        [Self::http1(at).await, Self::http2(at).await]
    }

    /// Sends a request for `path` at `shop.test` and gives the head of its answer.
    pub(crate) async fn send(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        let path = request.uri().path_and_query().unwrap().as_str();
        let (uri, host) = match self {
            Self::Http1(_) => (path.to_owned(), Some("shop.test")),
            Self::Http2(_) => (format!("http://shop.test{path}"), None),
        };
        *request.uri_mut() = uri.parse().unwrap();
        if let Some(host) = host {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        match self {
            Self::Http1(sender) => sender.send_request(request).await,
            Self::Http2(sender) => sender.send_request(request).await,
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response<Incoming> {
        let request = Request::get(path).body(Full::default()).unwrap();
        self.send(request).await.unwrap()
    }

    pub(crate) async fn ready(&mut self) -> hyper::Result<()> {
        match self {
            Self::Http1(sender) => sender.ready().await,
            Self::Http2(sender) => sender.ready().await,
        }
    }
}

/// Reads an answer to its end.
pub(crate) async fn text(response: Response<Incoming>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What the server saw of a request that it has answered.
pub(crate) async fn report(response: Response<Incoming>) -> EchoReport {
    assert_eq!(response.status(), 200);
    EchoReport::parse(text(response).await.as_bytes())
}
