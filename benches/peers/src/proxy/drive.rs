//! What asks the proxies: hyper's own connections.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{Request, Response, Uri, header::HOST};
use http_body_util::{BodyExt, Empty, combinators::UnsyncBoxBody};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{Protocol, Shared, connect};
use crate::clients::framed;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A connection, and what it asks for.
#[derive(Clone)]
pub struct Caller {
    sender: Sender,
    uri: Uri,
}

#[derive(Clone)]
enum Sender {
    Http1(Shared<http1::SendRequest<Body>>),
    Http2(http2::SendRequest<Body>),
    Grpc(http2::SendRequest<Body>),
}

impl Caller {
    pub async fn connect(at: SocketAddr, protocol: Protocol, path: &str) -> Result<Self> {
        let stream = TokioIo::new(connect(at).await?);
        let (sender, path) = match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream).await?;
                tokio::spawn(connection);
                (Sender::Http1(Arc::new(sender.into())), path)
            }
            Protocol::Http2 | Protocol::Grpc => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
                tokio::spawn(connection);
                match protocol {
                    Protocol::Grpc => (Sender::Grpc(sender), framed::PATH),
                    _ => (Sender::Http2(sender), path),
                }
            }
        };
        let uri = match sender {
            Sender::Http1(_) => path.parse()?,
            _ => format!("http://shop.test{path}").parse()?,
        };
        Ok(Self { sender, uri })
    }

    pub async fn call(self) -> Result<()> {
        match self.sender {
            Sender::Http1(sender) => {
                let mut request = Request::get(self.uri).body(Empty::new().boxed_unsync())?;
                request.headers_mut().insert(HOST, "shop.test".parse()?);
                let mut sender = sender.lock_owned().await;
                sender.ready().await?;
                whole(sender.send_request(request).await?).await
            }
            Sender::Http2(mut sender) => {
                let request = Request::get(self.uri).body(Empty::new().boxed_unsync())?;
                sender.ready().await?;
                whole(sender.send_request(request).await?).await
            }
            Sender::Grpc(mut sender) => {
                let request = framed::request(self.uri)?.map(BodyExt::boxed_unsync);
                sender.ready().await?;
                framed::check(sender.send_request(request).await?).await
            }
        }
    }
}

async fn whole(response: Response<Incoming>) -> Result<()> {
    ensure!(response.status() == 200, "answered {}", response.status());
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(body.len() == 128, "the answer is not whole");
    Ok(())
}

/// One caller's calls.
pub fn alone(caller: Caller) -> impl FnMut() -> Calling + Clone {
    move || Box::pin(caller.clone().call())
}

/// The calls of all, in turn.
pub fn in_turn(callers: Vec<Caller>) -> impl FnMut() -> Calling + Clone {
    let (turn, callers) = (Arc::new(AtomicUsize::new(0)), Arc::from(callers));
    move || {
        let callers: &[Caller] = &callers;
        Box::pin(
            callers[turn.fetch_add(1, Relaxed) % callers.len()]
                .clone()
                .call(),
        )
    }
}

pub type Calling = Pin<Box<dyn Future<Output = Result<()>> + Send>>;
