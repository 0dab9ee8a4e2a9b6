//! The servers: three for gRPC, one for HTTP/1.1 and a control plane, in one process.

use std::{convert::Infallible, future::pending, pin::Pin};

use anyhow::Result;
use bytes::Bytes;
use futures_util::Stream;
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use mesh_testkit::generated::mesh::test::v1::{
    EchoReply, EchoRequest,
    echo_server::{Echo, EchoServer},
};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Server, server::TcpIncoming},
};

use crate::plane;

/// Bytes of an HTTP/1.1 answer.
pub const ANSWER: &[u8] = &[b'x'; 128];

pub async fn run() -> Result<()> {
    let mut grpc = Vec::new();
    for _ in 0..3 {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        grpc.push(listener.local_addr()?);
        tokio::spawn(serve_grpc(listener));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let plane = plane::shop(&grpc).await;
    let ports: Vec<_> = grpc.iter().map(|at| at.port().to_string()).collect();
    let (http, ads) = (listener.local_addr()?.port(), plane.socket().port());
    println!("{} {http} {ads}", ports.join(","));
    tokio::spawn(http1(listener));
    pending().await
}

/// Echoes unary calls.
pub async fn serve_grpc(listener: TcpListener) -> Result<()> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = Server::builder()
        .add_service(EchoServer::new(Calls))
        .serve_with_incoming(incoming);
    Ok(serving.await?)
}

async fn http1(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = service_fn(|_: hyper::Request<Incoming>| async {
            Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from_static(ANSWER))))
        });
        let serving = hyper::server::conn::http1::Builder::new();
        tokio::spawn(serving.serve_connection(TokioIo::new(stream), answer));
    }
}

/// Echoes unary calls.
pub struct Calls;

type Replies = Pin<Box<dyn Stream<Item = Result<EchoReply, Status>> + Send>>;

#[tonic::async_trait]
impl Echo for Calls {
    async fn unary(&self, request: Request<EchoRequest>) -> Result<Response<EchoReply>, Status> {
        Ok(Response::new(EchoReply {
            payload: request.into_inner().payload,
            ..EchoReply::default()
        }))
    }

    async fn client_stream(
        &self,
        _: Request<Streaming<EchoRequest>>,
    ) -> Result<Response<EchoReply>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    type ServerStreamStream = Replies;

    async fn server_stream(&self, _: Request<EchoRequest>) -> Result<Response<Replies>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    type BidiStreamStream = Replies;

    async fn bidi_stream(
        &self,
        _: Request<Streaming<EchoRequest>>,
    ) -> Result<Response<Replies>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}
