//! GET over HTTP/1.1 by various clients.

use std::sync::Arc;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::SendRequest;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use mesh_benches::world;
use mesh_core::{config::Dialect, source::FixedSource};
use mesh_tower::Mesh;
use tokio::{net::TcpStream, sync::Mutex};

use super::World;
use crate::load::Measured;

/// hyper's own connections, one for each request under way: the floor.
pub async fn raw(world: &World) -> Result<Measured> {
    let mut callers = Vec::new();
    for _ in 0..world.load.in_flight {
        let stream = TcpStream::connect(world.http).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let sender: Arc<Mutex<SendRequest<Empty<Bytes>>>> = Arc::new(Mutex::new(sender));
        let request = Template::new(world)?;
        callers.push(move || {
            let (sender, request) = (Arc::clone(&sender), request.request_of_path());
            async move {
                let mut sender = sender.lock_owned().await;
                sender.ready().await?;
                read(sender.send_request(request).await?).await
            }
        });
    }
    world.load.measure_each(callers).await
}

/// hyper-util's client with its pool.
pub async fn legacy(world: &World) -> Result<Measured> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(1024)
        .build(connector);
    let request = Template::new(world)?;
    let call = move || {
        let sending = client.request(request.request());
        async move { read(sending.await?).await }
    };
    world.load.measure(call).await
}

/// The mesh with one route, one cluster and one endpoint.
pub async fn mesh(world: &World) -> Result<Measured> {
    let source = FixedSource::new();
    source.set("shop", world::plain(&[world.http], Dialect::Envoy)?);
    let mesh = Mesh::builder().source(source).spawn()?;
    let client = mesh.http_client("shop");
    let request = Template::new(world)?;
    let call = move || {
        let (client, request) = (client.clone(), request.request());
        async move { read(client.send(request).await?).await }
    };
    world.load.measure(call).await
}

/// What every request is made from.
#[derive(Clone)]
struct Template {
    uri: http::Uri,
    path: http::Uri,
    host: http::HeaderValue,
}

impl Template {
    fn new(world: &World) -> Result<Self> {
        Ok(Self {
            uri: format!("http://{}/cart/7", world.http).parse()?,
            path: "/cart/7".parse()?,
            host: world.http.to_string().parse()?,
        })
    }

    /// As pools want it: with the authority in the URI.
    fn request(&self) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        request.uri_mut().clone_from(&self.uri);
        request
    }

    /// As a connection wants it: with a path alone, and the host in a header.
    fn request_of_path(&self) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        request.uri_mut().clone_from(&self.path);
        request
            .headers_mut()
            .insert(http::header::HOST, self.host.clone());
        request
    }
}

async fn read<B>(response: Response<B>) -> Result<()>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    ensure!(response.status() == 200, "answered {}", response.status());
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(body.len() == 128, "the answer is not whole");
    Ok(())
}
