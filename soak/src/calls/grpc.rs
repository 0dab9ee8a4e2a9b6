//! gRPC calls, by a generated client.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use ::http::{Request, Response};
use anyhow::anyhow;
use bytes::Bytes;
use mesh::{ChannelBody, MeshChannel};
use mesh_testkit::generated::mesh::test::v1::{EchoReply, EchoRequest, echo_client::EchoClient};
use tonic::{Status, body::Body};
use tower_service::Service;

use super::{DEADLINE, Failure};

/// Replies of a stream.
const REPLIES: u32 = 20;

pub(super) async fn unary(channel: &MeshChannel, body: Bytes) -> Result<(), Failure> {
    let (noting, begun) = Noting::of(channel);
    let reply = EchoClient::new(noting).unary(request(&body, 0)).await;
    let reply = reply.map_err(|status| failed(&begun, status))?;
    check(reply.get_ref(), &body)
}

/// Reads some of a stream's replies; at times all.
pub(super) async fn streamed(
    channel: &MeshChannel,
    number: u64,
    body: Bytes,
) -> Result<(), Failure> {
    let (noting, begun) = Noting::of(channel);
    let mut client = EchoClient::new(noting);
    let replies = client.server_stream(request(&body, REPLIES)).await;
    let replies = replies.map_err(|status| failed(&begun, status))?;
    let mut replies = replies.into_inner();
    let wanted = number % u64::from(REPLIES + 10);
    for number in 0..wanted {
        let reply = replies.message().await;
        match reply.map_err(|status| failed(&begun, status))? {
            Some(reply) => check(&reply, &body)?,
            None if number == u64::from(REPLIES) => return Ok(()),
            None => {
                let error = anyhow!("{number} replies of {REPLIES} came");
                return Err(Failure::plain(error));
            }
        }
    }
    Ok(())
}

fn request(body: &Bytes, repeat: u32) -> tonic::Request<EchoRequest> {
    let mut request = tonic::Request::new(EchoRequest {
        payload: body.clone(),
        repeat,
        ..EchoRequest::default()
    });
    request.set_timeout(DEADLINE);
    request
}

fn check(reply: &EchoReply, body: &Bytes) -> Result<(), Failure> {
    if reply.payload == body {
        return Ok(());
    }
    let (sent, got) = (body.len(), reply.payload.len());
    let error = anyhow!("{sent} bytes went, {got} came back");
    Err(Failure::plain(error))
}

fn failed(begun: &AtomicBool, status: Status) -> Failure {
    Failure {
        begun: begun.load(Ordering::Relaxed),
        error: status.into(),
    }
}

/// A channel that notes whether the response has begun. One that begins with its trailers has
/// nothing but them, and may be retried.
#[derive(Clone)]
struct Noting {
    channel: MeshChannel,
    begun: Arc<AtomicBool>,
}

impl Noting {
    fn of(channel: &MeshChannel) -> (Self, Arc<AtomicBool>) {
        let begun = Arc::<AtomicBool>::default();
        let noting = Self {
            channel: channel.clone(),
            begun: Arc::clone(&begun),
        };
        (noting, begun)
    }
}

impl Service<Request<Body>> for Noting {
    type Response = Response<ChannelBody>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (answer, begun) = (self.channel.call(request), Arc::clone(&self.begun));
        Box::pin(async move {
            let response = answer.await?;
            let has_begun = !response.headers().contains_key("grpc-status");
            begun.store(has_begun, Ordering::Relaxed);
            Ok(response)
        })
    }
}
