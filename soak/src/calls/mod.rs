//! Callers: each makes one call after the other.

mod grpc;
mod http;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use mesh::{HttpClient, MeshChannel};
use tokio::time::timeout;

/// A call that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(15);
/// Failures whose texts are kept, and as many excuses.
const KEPT: usize = 5;
/// Bytes that calls send and get back, in turn. One is longer than an HTTP/2 stream's first window;
/// all fit into what a retry may keep.
const SIZES: [usize; 6] = [0, 0, 0, 100, 3_000, 70_000];
/// One call in this many is given up by its caller, wherever it is then.
const GIVEN_UP: u64 = 41;
/// One gRPC call in this many has a stream of replies, and is mostly left before its end.
const STREAMED: u64 = 29;

/// What became of calls.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) begun: AtomicU64,
    pub(crate) good: AtomicU64,
    /// Given up before they ended.
    pub(crate) given_up: AtomicU64,
    /// Lost after the response had begun.
    pub(crate) excused: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// In microseconds.
    pub(crate) slowest: AtomicU64,
    failures: Mutex<Vec<String>>,
    excuses: Mutex<Vec<String>>,
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
            let number = tally.begun.fetch_add(1, Ordering::Relaxed);
            let start = Instant::now();
            let call = self.call(number, body.clone());
            let answer = match number % GIVEN_UP {
                // About as long as a call takes.
                0 => timeout(Duration::from_millis(number % 5), call).await,
                _ => Ok(call.await),
            };
            let Ok(answer) = answer else {
                tally.given_up.fetch_add(1, Ordering::Relaxed);
                continue;
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

    async fn call(&self, number: u64, body: Bytes) -> Result<(), Failure> {
        match self {
            Self::Grpc(channel) if number.is_multiple_of(STREAMED) => {
                grpc::streamed(channel, number, body).await
            }
            Self::Grpc(channel) => grpc::unary(channel, body).await,
            Self::Http(client) => http::exchange(client, body).await,
        }
    }
}

impl Tally {
    fn end(&self, took: Duration, answer: Result<(), Failure>) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.slowest.fetch_max(took, Ordering::Relaxed);
        let count = match answer {
            Ok(()) => &self.good,
            Err(failure) => {
                let (count, texts) = match failure.is_excused() {
                    true => (&self.excused, &self.excuses),
                    false => (&self.failed, &self.failures),
                };
                let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
                if texts.len() < KEPT {
                    texts.push(format!("a call failed after {took} us: {}", failure.error));
                }
                count
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// What the first calls failed for.
    pub(crate) fn failures(&self) -> Vec<String> {
        let texts = self.failures.lock();
        texts.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the first calls failed for that could not be saved.
    pub(crate) fn excuses(&self) -> Vec<String> {
        let texts = self.excuses.lock();
        texts.unwrap_or_else(PoisonError::into_inner).clone()
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

    /// Whether nobody could have saved the call: it was lost in the middle of the response, by the
    /// connection's end or, where the server's stream ends just before that, by a reset (CANCEL). A
    /// deadline or a broken response there is no excuse.
    fn is_excused(&self) -> bool {
        const LOST: [&str; 2] = [
            "the connection was lost while the response body was read",
            "the endpoint reset the stream while the response body was read: CANCEL",
        ];
        let text = self.error.to_string();
        self.begun && LOST.iter().any(|lost| text.contains(lost))
    }
}
