//! gRPC framing by hand over `h2`: the floor.

use anyhow::{Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::Request;
use mesh_testkit::generated::mesh::test::v1::{EchoReply, EchoRequest};
use prost::Message;
use tokio::net::TcpStream;

use super::{World, grpc::PAYLOAD};
use crate::load;

/// Length and compression flag before each message.
const PREFIX: usize = 5;

pub async fn h2(world: &World) -> Result<f64> {
    let stream = TcpStream::connect(world.grpc[0]).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = h2::client::handshake(stream).await?;
    tokio::spawn(connection);
    let call = move || unary(sender.clone());
    load::measure(vec![call; world.in_flight], world.count).await
}

async fn unary(sender: SendRequest<Bytes>) -> Result<()> {
    let message = EchoRequest {
        payload: Bytes::from_static(PAYLOAD),
        ..EchoRequest::default()
    };
    let mut data = BytesMut::with_capacity(PREFIX + message.encoded_len());
    data.put_u8(0);
    data.put_u32(u32::try_from(message.encoded_len())?);
    message.encode(&mut data)?;
    let request = Request::post("http://shop.test/mesh.test.v1.Echo/Unary")
        .header("te", "trailers")
        .header("content-type", "application/grpc")
        .body(())?;
    let mut sender = sender.ready().await?;
    let (response, mut body) = sender.send_request(request, false)?;
    body.send_data(data.freeze(), true)?;
    let mut body = response.await?.into_body();
    let mut reply = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        reply.extend_from_slice(&data);
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    ensure!(trailers["grpc-status"] == "0", "the call failed");
    let reply = EchoReply::decode(reply.split_off(PREFIX.min(reply.len())))?;
    ensure!(
        reply.payload.len() == PAYLOAD.len(),
        "the reply is not the echo"
    );
    Ok(())
}
