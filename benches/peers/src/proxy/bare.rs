//! The least that a proxy of hyper's parts can be: hyper's server before hyper-util's pools, the
//! servers in turn. No routes, no limits, no retries, no numbers.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use anyhow::{Context, Result};
use http::{
    Request, Response, Uri,
    uri::{Authority, Scheme},
};
use hyper::{body::Incoming, server, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

use super::Protocol;

/// Serves, and prints where.
pub async fn serve(protocol: Protocol, servers: &[SocketAddr]) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {} for bare", listener.local_addr()?);
    let bare: &_ = Box::leak(Box::new(Bare::new(protocol, servers)?));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let stream = TokioIo::new(stream);
        let forward = service_fn(|request| bare.forward(request));
        match protocol {
            Protocol::Http1 => {
                let serving = server::conn::http1::Builder::new();
                tokio::spawn(serving.serve_connection(stream, forward));
            }
            Protocol::Http2 | Protocol::Grpc => {
                let serving = server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(serving.serve_connection(stream, forward));
            }
        }
    }
}

struct Bare {
    client: Client<HttpConnector, Incoming>,
    servers: Vec<Authority>,
    turn: AtomicUsize,
}

impl Bare {
    fn new(protocol: Protocol, servers: &[SocketAddr]) -> Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let servers = servers.iter().map(|at| at.to_string().parse());
        Ok(Self {
            client: Client::builder(TokioExecutor::new())
                .http2_only(protocol != Protocol::Http1)
                .pool_max_idle_per_host(1024)
                .build(connector),
            servers: servers.collect::<Result<_, _>>()?,
            turn: AtomicUsize::new(0),
        })
    }

    async fn forward(&self, mut request: Request<Incoming>) -> Result<Response<Incoming>> {
        let server = self.turn.fetch_add(1, Relaxed) % self.servers.len();
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.servers[server].clone());
        *request.uri_mut() = Uri::from_parts(parts)?;
        self.client.request(request).await.context("no answer")
    }
}
