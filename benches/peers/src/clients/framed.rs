//! gRPC framing by hand.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use anyhow::{Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request, Response, Uri, request::Builder};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use mesh_testkit::generated::mesh::test::v1::{EchoReply, EchoRequest};
use prost::Message;

use super::grpc::PAYLOAD;

/// The path of the call.
pub const PATH: &str = "/mesh.test.v1.Echo/Unary";

/// Length and compression flag before each message.
const PREFIX: usize = 5;

/// A call to this path of an authority.
pub fn request(uri: Uri) -> Result<Request<Once>> {
    Ok(head(uri).body(Once(Some(message()?)))?)
}

pub fn head(uri: Uri) -> Builder {
    Request::post(uri)
        .header("te", "trailers")
        .header("content-type", "application/grpc")
}

pub fn message() -> Result<Bytes> {
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

/// Whether the reply is the echo.
pub async fn check(reply: Response<Incoming>) -> Result<()> {
    let reply = reply.into_body().collect().await?;
    let trailers = reply.trailers().cloned().unwrap_or_default();
    check_parts(&reply.to_bytes(), &trailers)
}

pub fn check_parts(reply: &[u8], trailers: &HeaderMap) -> Result<()> {
    let status = trailers.get("grpc-status");
    ensure!(status.is_some_and(|it| it == "0"), "the call failed");
    let reply = EchoReply::decode(reply.get(PREFIX..).unwrap_or_default())?;
    ensure!(
        reply.payload.len() == PAYLOAD.len(),
        "the reply is not the echo"
    );
    Ok(())
}

/// A body of one frame that does not say its length, as gRPC's do not: hyper would add a
/// `content-length`.
pub struct Once(Option<Bytes>);

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
