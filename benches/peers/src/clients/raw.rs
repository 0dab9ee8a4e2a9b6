//! gRPC framing by hand: over `h2`, and over hyper's client of it.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use anyhow::{Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request, request::Builder};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mesh_testkit::generated::mesh::test::v1::{EchoReply, EchoRequest};
use prost::Message;
use tokio::net::TcpStream;

use super::{World, grpc::PAYLOAD};
use crate::load::Measured;

/// Length and compression flag before each message.
const PREFIX: usize = 5;

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
    let message = message()?;
    let mut sender = sender.ready().await?;
    let (response, mut body) = sender.send_request(head().body(())?, false)?;
    body.send_data(message, true)?;
    let mut body = response.await?.into_body();
    let mut reply = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        reply.extend_from_slice(&data);
    }
    check(&reply, &body.trailers().await?.unwrap_or_default())
}

async fn by_hyper(mut sender: hyper::client::conn::http2::SendRequest<Once>) -> Result<()> {
    let request = head().body(Once(Some(message()?)))?;
    sender.ready().await?;
    let reply = sender.send_request(request).await?.into_body();
    let reply = reply.collect().await?;
    let trailers = reply.trailers().cloned().unwrap_or_default();
    check(&reply.to_bytes(), &trailers)
}

fn head() -> Builder {
    Request::post("http://shop.test/mesh.test.v1.Echo/Unary")
        .header("te", "trailers")
        .header("content-type", "application/grpc")
}

fn message() -> Result<Bytes> {
    let message = EchoRequest {
        payload: Bytes::from_static(PAYLOAD),
        ..EchoRequest::default()
    };
    let mut data = BytesMut::with_capacity(PREFIX + message.encoded_len());
    data.put_u8(0);
    data.put_u32(u32::try_from(message.encoded_len())?);
    message.encode(&mut data)?;
    Ok(data.freeze())
}

fn check(reply: &[u8], trailers: &HeaderMap) -> Result<()> {
    ensure!(trailers["grpc-status"] == "0", "the call failed");
    let reply = EchoReply::decode(reply.get(PREFIX..).unwrap_or_default())?;
    ensure!(
        reply.payload.len() == PAYLOAD.len(),
        "the reply is not the echo"
    );
    Ok(())
}

/// A body of one frame that does not say its length, as gRPC's do not: hyper would add a
/// `content-length`.
struct Once(Option<Bytes>);

impl Body for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}
