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

use anyhow::bail;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use mesh::{CallerDeadline, ChannelBody, HttpClient, MeshChannel};
use mesh_testkit::generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient};
use tonic::{Status, body::Body};
use tower_service::Service;

/// A call that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(15);
/// Failures whose texts are kept.
const KEPT: usize = 20;

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
        while !stop.load(Ordering::Relaxed) {
            tally.begun.fetch_add(1, Ordering::Relaxed);
            let start = Instant::now();
            let answer = match &self {
                Self::Grpc(channel) => unary(channel).await,
                Self::Http(client) => exchange(client).await,
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
                    texts.push(format!("a call failed after {took} us: {error:#}"));
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

async fn unary(channel: &MeshChannel) -> Result<(), Failure> {
    let begun = Arc::<AtomicBool>::default();
    let noting = Noting {
        channel: channel.clone(),
        begun: Arc::clone(&begun),
    };
    let mut request = tonic::Request::new(EchoRequest::default());
    request.set_timeout(DEADLINE);
    let answer = EchoClient::new(noting).unary(request).await;
    answer.map(drop).map_err(|status| Failure {
        begun: begun.load(Ordering::Relaxed),
        error: status.into(),
    })
}

async fn exchange(client: &HttpClient) -> Result<(), Failure> {
    let before = |error: anyhow::Error| Failure {
        begun: false,
        error,
    };
    let request = Request::get("http://soak.test/orders?since=monday");
    let request = request.extension(CallerDeadline(DEADLINE));
    let request = request.body(Full::<Bytes>::default());
    let request = request.map_err(|error| before(error.into()))?;
    let answer = client.send(request).await;
    let response = answer.map_err(|error| before(error.into()))?;
    let status = response.status();
    let body = response.into_body().collect().await;
    let body = body.map_err(|error| Failure {
        begun: true,
        error: error.into(),
    })?;
    let whole = || -> anyhow::Result<()> {
        let body = body.to_bytes();
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        if !body.ends_with(b"}") {
            bail!("the report is cut off: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    };
    whole().map_err(before)
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
