//! gRPC framing by hand: over `h2`, and over hyper's client of it.

use anyhow::Result;
use bytes::{Bytes, BytesMut};
use http::Uri;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::{
    World,
    framed::{self, Once},
};
use crate::load::Measured;

/// The floor.
pub async fn h2(world: &World) -> Result<Measured> {
    let (sender, connection) = h2::client::handshake(connect(world).await?).await?;
    tokio::spawn(connection);
    world.load.measure(move || by_h2(sender.clone())).await
}

/// hyper's `SendRequest`.
pub async fn hyper(world: &World) -> Result<Measured> {
    let stream = TokioIo::new(connect(world).await?);
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
    tokio::spawn(connection);
    world.load.measure(move || by_hyper(sender.clone())).await
}

async fn connect(world: &World) -> Result<TcpStream> {
    let stream = TcpStream::connect(world.grpc[0]).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn by_h2(sender: h2::client::SendRequest<Bytes>) -> Result<()> {
    let message = framed::message()?;
    let mut sender = sender.ready().await?;
    let (response, mut body) = sender.send_request(framed::head(uri()).body(())?, false)?;
    body.send_data(message, true)?;
    let mut body = response.await?.into_body();
    let mut reply = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        reply.extend_from_slice(&data);
    }
    framed::check_parts(&reply, &body.trailers().await?.unwrap_or_default())
}

async fn by_hyper(mut sender: hyper::client::conn::http2::SendRequest<Once>) -> Result<()> {
    let request = framed::request(uri())?;
    sender.ready().await?;
    framed::check(sender.send_request(request).await?).await
}

fn uri() -> Uri {
    Uri::from_static("http://shop.test/mesh.test.v1.Echo/Unary")
}
