//! Callers: each makes one call after the other.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use anyhow::anyhow;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use mesh::{CallerDeadline, ChannelBody, HttpClient, MeshChannel};
use mesh_testkit::generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient};
use serde_json::Value;
use tonic::{Status, body::Body};
use tower_service::Service;

/// A call that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(15);
/// Failures whose texts are kept.
const KEPT: usize = 5;
/// Bytes that calls send and get back, in turn. One is longer than an HTTP/2 stream's first window;
/// all fit into what a retry may keep.
const SIZES: [usize; 6] = [0, 0, 0, 100, 3_000, 70_000];

/// What became of calls.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) begun: AtomicU64,
    pub(crate) good: AtomicU64,
    /// Lost after the response had begun.
    pub(crate) excused: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// In microseconds.
    pub(crate) slowest: AtomicU64,
    texts: Mutex<Vec<String>>,
}

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    Grpc(MeshChannel),
    Http(HttpClient),
}

/// Why a call failed.
struct Failure {
    /// Whether the response had begun, so that nobody may retry.
    begun: bool,
    error: anyhow::Error,
}

impl Caller {
    /// Calls until told to stop.
    pub(crate) async fn run(self, tally: Arc<Tally>, stop: Arc<AtomicBool>) {
        let bodies = SIZES.map(|size| Bytes::from(vec![b'a'; size]));
        for body in bodies.iter().cycle() {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            tally.begun.fetch_add(1, Ordering::Relaxed);
            let start = Instant::now();
            let answer = match &self {
                Self::Grpc(channel) => unary(channel, body.clone()).await,
                Self::Http(client) => exchange(client, body.clone()).await,
            };
            let failed = answer.is_err();
            let took = Instant::now().saturating_duration_since(start);
            tally.end(took, answer);
            if failed {
                // One that fails at once gives way to nobody.
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Tally {
    fn end(&self, took: Duration, answer: Result<(), Failure>) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.slowest.fetch_max(took, Ordering::Relaxed);
        let count = match answer {
            Ok(()) => &self.good,
            Err(Failure { begun: true, .. }) => &self.excused,
            Err(Failure { error, .. }) => {
                let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
                if texts.len() < KEPT {
                    texts.push(format!("a call failed after {took} us: {error}"));
                }
                &self.failed
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// What the first calls failed for.
    pub(crate) fn texts(&self) -> Vec<String> {
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.clone()
    }
}

async fn unary(channel: &MeshChannel, body: Bytes) -> Result<(), Failure> {
    let begun = Arc::<AtomicBool>::default();
    let noting = Noting {
        channel: channel.clone(),
        begun: Arc::clone(&begun),
    };
    let message = EchoRequest {
        payload: body.clone(),
        ..EchoRequest::default()
    };
    let mut request = tonic::Request::new(message);
    request.set_timeout(DEADLINE);
    match EchoClient::new(noting).unary(request).await {
        Ok(reply) if reply.get_ref().payload == body => Ok(()),
        Ok(reply) => {
            let (sent, got) = (body.len(), reply.get_ref().payload.len());
            Err(Failure::plain(anyhow!(
                "{sent} bytes went, {got} came back"
            )))
        }
        Err(status) => Err(Failure {
            begun: begun.load(Ordering::Relaxed),
            error: status.into(),
        }),
    }
}

async fn exchange(client: &HttpClient, body: Bytes) -> Result<(), Failure> {
    let length = body.len() as u64;
    let request = Request::post("http://soak.test/orders?since=monday");
    let request = request.extension(CallerDeadline(DEADLINE));
    let request = request.body(Full::new(body)).map_err(Failure::plain)?;
    let response = client.send(request).await.map_err(Failure::plain)?;
    let status = response.status();
    let answer = response.into_body().collect().await;
    let answer = answer.map_err(|error| Failure {
        begun: true,
        error: error.into(),
    })?;
    let answer = answer.to_bytes();
    if !status.is_success() {
        let text = String::from_utf8_lossy(&answer);
        return Err(Failure::plain(anyhow!("{status}: {text}")));
    }
    let report: Value = serde_json::from_slice(&answer).map_err(Failure::plain)?;
    match report["body_len"].as_u64() {
        Some(seen) if seen == length => Ok(()),
        seen => Err(Failure::plain(anyhow!(
            "{length} bytes went, {seen:?} came"
        ))),
    }
}

impl Failure {
    /// One without an excuse.
    fn plain(error: impl Into<anyhow::Error>) -> Self {
        Self {
            begun: false,
            error: error.into(),
        }
    }
}

/// A channel that notes whether the response has begun. One that begins with its trailers has
/// nothing but them, and may be retried.
#[derive(Clone)]
struct Noting {
    channel: MeshChannel,
    begun: Arc<AtomicBool>,
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
