//! The response body that callers read: it carries the request's clocks and its guard.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use mesh_core::{
    Error, ErrorKind,
    policy::grpc_status::GrpcCode,
    runtime::{LoadGuard, Outcome},
};
use tokio::time::Sleep;

use crate::{body::ResponseBody, clock, timeout::EndOfRequest};

/// A response's body. Reading it to the end records how the request ended at its endpoint; dropping
/// it early records nothing, and resets the stream.
pub struct GuardedBody {
    inner: ResponseBody,
    guard: Option<(LoadGuard, Judge)>,
    deadline: Option<(Instant, ErrorKind)>,
    // Armed only when a read has to wait: most bodies are there at once.
    sleep: Option<Pin<Box<Sleep>>>,
    open: Option<OpenLimit>,
}

/// A clock that does not run yet, since the request is still being sent.
struct OpenLimit {
    kind: ErrorKind,
    expiry: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl GuardedBody {
    /// The response of an endpoint, which counts the request until its body has been read.
    pub(crate) fn guard(
        response: Response<ResponseBody>,
        guard: LoadGuard,
        grpc: bool,
    ) -> Response<Self> {
        let judge = Judge::new(response.status(), response.headers(), grpc);
        let guard = Some((guard, judge));
        let mut response = response.map(|inner| Self {
            inner,
            guard,
            deadline: None,
            sleep: None,
            open: None,
        });
        if response.body().is_end_stream() {
            response.body_mut().finish(None);
        }
        response
    }

    /// A body that was made here.
    pub(crate) fn local(body: Bytes) -> Self {
        Self {
            inner: ResponseBody::full(body),
            guard: None,
            deadline: None,
            sleep: None,
            open: None,
        }
    }

    /// Fails with `kind` once `at` has passed, unless an earlier moment is set already.
    pub(crate) fn until(mut self, at: Instant, kind: ErrorKind) -> Self {
        if self.deadline.is_none_or(|(earlier, _)| at < earlier) {
            self.deadline = Some((at, kind));
        }
        self
    }

    /// Fails with `kind` once the request has ended and `limit` has passed since.
    pub(crate) fn until_after(
        mut self,
        ended: EndOfRequest,
        limit: Duration,
        kind: ErrorKind,
    ) -> Self {
        let expiry = Box::pin(async move {
            let end = ended.wait().await;
            clock::sleep_until(end.checked_add(limit)).await;
        });
        // At most two limits can be open, and the inner one (an attempt's) is the shorter.
        self.open.get_or_insert(OpenLimit { kind, expiry });
        self
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<ErrorKind> {
        if let Some(open) = &mut self.open
            && open.expiry.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(open.kind);
        }
        let Some((at, kind)) = self.deadline else {
            return Poll::Pending;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at.into())));
        sleep.as_mut().poll(cx).map(|()| kind)
    }

    /// Records how the request ended: by `outcome`, or else as what has been seen says.
    fn finish(&mut self, outcome: Option<Outcome>) {
        if let Some((mut guard, judge)) = self.guard.take() {
            guard.record(outcome.unwrap_or_else(|| judge.outcome()));
        }
    }
}

/// Judges a response by what its head and its trailers say.
#[derive(Clone, Copy, Debug)]
enum Judge {
    /// By its HTTP status.
    Http(StatusCode),
    /// By its gRPC status, which is in the trailers unless it was in the head.
    Grpc(Option<GrpcCode>),
}

impl Judge {
    fn new(status: StatusCode, headers: &HeaderMap, grpc: bool) -> Self {
        if grpc && status == StatusCode::OK {
            Self::Grpc(GrpcCode::read(headers))
        } else {
            Self::Http(status)
        }
    }

    fn see_trailers(&mut self, trailers: &HeaderMap) {
        if let Self::Grpc(code) = self {
            *code = GrpcCode::read(trailers);
        }
    }

    /// A gRPC answer without a status is a failure: the stream was cut.
    fn outcome(self) -> Outcome {
        let success = match self {
            Self::Http(status) => !status.is_server_error(),
            Self::Grpc(code) => code == Some(GrpcCode::OK),
        };
        if success {
            Outcome::Success
        } else {
            Outcome::Failure
        }
    }
}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(trailers), Some((_, judge))) = (frame.trailers_ref(), &mut self.guard)
                {
                    judge.see_trailers(trailers);
                }
                if self.inner.is_end_stream() {
                    self.finish(None);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.finish(Some(Outcome::Failure));
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                self.finish(None);
                Poll::Ready(None)
            }
            Poll::Pending => {
                let kind = std::task::ready!(self.poll_expired(cx));
                // What is left of the stream is reset here, not when the caller lets go.
                self.inner = ResponseBody::full(Bytes::new());
                self.deadline = None;
                self.open = None;
                self.finish(Some(Outcome::Failure));
                let text = "the response body was not complete in time";
                Poll::Ready(Some(Err(Error::new(kind, text).sent())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl fmt::Debug for GuardedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedBody")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
