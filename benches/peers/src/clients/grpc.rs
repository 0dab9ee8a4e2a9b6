//! Unary gRPC calls of a generated client over various channels.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use mesh_benches::world::{self, AUTHORITY};
use mesh_core::{config::Dialect, source::FixedSource};
use mesh_testkit::generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient};
use mesh_tonic::MeshChannel;
use mesh_tower::Mesh;
use tonic::{client::GrpcService, transport::Channel};

use super::World;
use crate::load::Measured;

/// What a call sends and gets back.
pub const PAYLOAD: &[u8] = &[b'x'; 100];

/// Bare tonic: `each` channels to every server, used in turn.
pub async fn tonic(world: &World, at: &[SocketAddr], each: usize) -> Result<Measured> {
    let mut clients = Vec::new();
    for address in at {
        for _ in 0..each {
            let channel = Channel::from_shared(format!("http://{address}"))?;
            clients.push(EchoClient::new(channel.connect().await?));
        }
    }
    let turn = Arc::new(AtomicUsize::new(0));
    let clients: Arc<[_]> = clients.into();
    let call = move || {
        let index = turn.fetch_add(1, Ordering::Relaxed) % clients.len();
        echo(clients[index].clone())
    };
    world.load.measure(call).await
}

/// The mesh without any policy.
pub async fn mesh(world: &World, at: &[SocketAddr]) -> Result<Measured> {
    let source = FixedSource::new();
    source.set("shop", world::plain(at, Dialect::Grpc)?);
    let mesh = Mesh::builder().source(source).spawn()?;
    let channel = MeshChannel::new(mesh.http_client("shop"), AUTHORITY, Dialect::Grpc)?;
    channel.ready().await?;
    let client = EchoClient::new(channel);
    let call = move || echo(client.clone());
    world.load.measure(call).await
}

/// One call.
pub async fn echo<C>(mut client: EchoClient<C>) -> Result<()>
where
    C: GrpcService<tonic::body::Body>,
    C::Error: Into<tonic::codegen::StdError>,
    C::ResponseBody: http_body::Body<Data = Bytes> + Send + 'static,
    <C::ResponseBody as http_body::Body>::Error: Into<tonic::codegen::StdError> + Send,
{
    let request = EchoRequest {
        payload: Bytes::from_static(PAYLOAD),
        ..EchoRequest::default()
    };
    let reply = client.unary(request).await?.into_inner();
    ensure!(
        reply.payload.len() == PAYLOAD.len(),
        "the reply is not the echo"
    );
    Ok(())
}
