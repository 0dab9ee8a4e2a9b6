//! A client stream of a million frames on a route that retries: what is kept to be sent again is
//! bounded, and letting go of it is too.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use mesh::{ChannelBody, MeshChannel};
use mesh_testkit::{
    generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient},
    xds,
};
use tonic::Status;
use tower_service::Service;

use crate::support::{Backend, Client, ROUTES, Setup, World};

const FRAMES: u64 = 1_000_000;

/// A message on the wire: no compression, nine bytes, field 2 of seven bytes. Servers would take so
/// many frames as small as this for an attack: they are not to arrive as such.
const MESSAGE: [u8; 14] = *b"\0\0\0\0\x09\x12\x07payload";

/// How many bytes of the body are alive, and how many ever were at once.
#[derive(Debug, Default)]
struct Alive {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// One frame's bytes; counted while anybody holds them.
struct Counted(Arc<Alive>);

impl Counted {
    fn new(alive: &Arc<Alive>) -> Self {
        let now = alive.now.fetch_add(MESSAGE.len(), Ordering::Relaxed) + MESSAGE.len();
        alive.most.fetch_max(now, Ordering::Relaxed);
        Self(Arc::clone(alive))
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &MESSAGE
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.now.fetch_sub(MESSAGE.len(), Ordering::Relaxed);
    }
}

/// A body of one message a frame.
struct Frames {
    left: u64,
    alive: Arc<Alive>,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(left) = self.left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.left = left;
        let frame = Bytes::from_owner(Counted::new(&self.alive));
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }
}

/// Sends these frames instead of what a generated client would: it joins small messages.
struct Uploading {
    channel: MeshChannel,
    frames: Option<Frames>,
}

impl Service<Request<tonic::body::Body>> for Uploading {
    type Response = Response<ChannelBody>;
    type Error = Status;
    type Future = <MeshChannel as Service<Request<tonic::body::Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let frames = self.frames.take().expect("one call");
        self.channel
            .call(request.map(|_| tonic::body::Body::new(frames)))
    }
}

#[tokio::test]
async fn a_stream_of_a_million_frames_stays_within_bounds() {
    let setup = Setup::GRPC;
    let backend = Backend::start(setup, "a");
    let world = World::start(setup).await;
    let route = xds::to("a").retry(xds::retry("unavailable", 3));
    let routes = xds::route_config(ROUTES).host(&["*"], [route]);
    world.publish(routes, &[("a", &[&backend])]);
    world.client.ready().await;
    let Client::Grpc(channel) = world.client.clone() else {
        panic!("{:?}", world.client);
    };

    let alive = Arc::<Alive>::default();
    let frames = Frames {
        left: FRAMES,
        alive: Arc::clone(&alive),
    };
    let uploading = Uploading {
        channel,
        frames: Some(frames),
    };
    let mut client = EchoClient::new(uploading);
    let reply = client
        .client_stream(tokio_stream::iter([EchoRequest::default()]))
        .await;
    let reply = reply.unwrap().into_inner();
    assert_eq!((reply.received, reply.payload.len()), (FRAMES, 7));
    assert_eq!(backend.count(), 1);

    // 1 MiB to be sent again, of 13 MiB in all; what is under way has been joined by then.
    let most = alive.most.load(Ordering::Relaxed);
    assert!(most < 5 << 18, "{most} bytes at once");
    drop((client, world));
    assert_eq!(alive.now.load(Ordering::Relaxed), 0);
}
