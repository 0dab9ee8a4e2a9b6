//! A real `h2` server for what data does, a scripted peer for what frames do.

mod ending;
mod exchange;
mod flow;
mod peer;
mod raw;
mod stress;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::sync::mpsc;

use crate::body::{BoxError, RequestBody, ResponseBody};

/// Fails the test instead of hanging; nothing depends on how long it is.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("the test hangs")
}

/// Waits until `holds`, while other tasks run.
async fn until(holds: impl Fn() -> bool) {
    soon(async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn request(body: RequestBody) -> Request<RequestBody> {
    Request::post("http://greeter.example:81/pkg.Greeter/Hi?x=1")
        .header("x-first", "1")
        .header("te", "trailers")
        .header("connection", "x-hop")
        .header("x-hop", "gone")
        .header("host", "other.example")
        .body(body)
        .unwrap()
}

/// Both are moved about once per call.
#[test]
fn futures_and_bodies_stay_small() {
    let sizes = (size_of::<super::Http2Send>(), size_of::<ResponseBody>());
    assert!(sizes.0 <= 88 && sizes.1 <= 48, "{sizes:?}");
}

#[test]
fn the_parts_can_be_moved_and_shared_as_the_stack_needs() {
    fn is_send_sync<T: Send + Sync + Clone>() {}
    fn is_send_unpin<T: Send + Unpin>() {}
    is_send_sync::<super::Http2Connection>();
    is_send_unpin::<super::Http2Send>();
    is_send_unpin::<RequestBody>();
    is_send_unpin::<ResponseBody>();
    is_send_unpin::<crate::connect::http1::Http1Connection>();
}

type FrameSender = mpsc::Sender<Result<Frame<Bytes>, BoxError>>;

/// A body fed through a channel that holds one frame.
fn channel_body() -> (FrameSender, RequestBody) {
    let (sender, receiver) = mpsc::channel(1);
    let frames = futures_util::stream::unfold(receiver, async |mut receiver| {
        let frame = receiver.recv().await?;
        Some((frame, receiver))
    });
    (
        sender,
        RequestBody::boxed(StreamBody::new(Box::pin(frames))),
    )
}

fn data(text: &'static str) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

async fn next_data(body: &mut ResponseBody) -> Bytes {
    let frame = soon(body.frame()).await.unwrap().unwrap();
    frame.into_data().unwrap()
}
