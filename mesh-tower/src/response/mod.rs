//! The response body that callers read: it carries the request's clocks and its guard.

mod clocks;
mod judge;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use mesh_core::{
    Error,
    name::Target,
    observe::End,
    policy::{grpc_status::GrpcCode, route::CompiledRoute},
    runtime::{LoadGuard, Outcome},
};

pub(crate) use self::clocks::Clocks;
use self::judge::Judge;
use crate::{body::ResponseBody, observe::Account};

/// A response's body. Reading it to the end records how the request ended at its endpoint; dropping
/// it early records nothing, and resets the stream.
pub struct GuardedBody {
    inner: ResponseBody,
    guard: Option<(LoadGuard, Judge)>,
    asked: Option<Asked>,
    account: Account,
    clocks: Clocks,
}

/// What was asked for, as errors name it.
struct Asked {
    target: Target,
    route: Arc<CompiledRoute>,
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
            asked: None,
            account: Account::default(),
            clocks: Clocks::default(),
        });
        if response.body().inner.was_empty() {
            response.body_mut().finish(Ok(()));
        }
        response
    }

    /// A body that was made here.
    pub(crate) fn local(body: Bytes) -> Self {
        Self {
            inner: ResponseBody::full(body),
            guard: None,
            asked: None,
            account: Account::default(),
            clocks: Clocks::default(),
        }
    }

    /// The clocks that end the reading of it.
    pub(crate) const fn clocks(&mut self) -> &mut Clocks {
        &mut self.clocks
    }

    /// What the head of an unread gRPC answer said of its code, where that was read already.
    pub(crate) const fn said(&self) -> Option<Option<GrpcCode>> {
        match self.guard {
            Some((_, Judge::Grpc(code))) => Some(code),
            _ => None,
        }
    }

    /// Has the request's account end when the body does.
    pub(crate) fn account(&mut self, account: Account) {
        self.account = account;
        // One that has a guard has not ended.
        if self.guard.is_none() && self.inner.is_end_stream() {
            self.account.end(End::Answered);
        }
    }

    /// Has errors name what was asked for.
    pub(crate) fn asked(&mut self, target: Target, route: Arc<CompiledRoute>) {
        self.asked = Some(Asked { target, route });
    }

    /// Names target, route, cluster and endpoint in an error of this answer: the latter two unless it
    /// has been read to its end.
    #[must_use]
    #[cold]
    pub fn named(&self, mut error: Error) -> Error {
        if let Some(asked) = &self.asked {
            error = error
                .for_target(asked.target.as_str())
                .on_route(&asked.route.route.name);
        }
        if let Some((guard, _)) = &self.guard {
            let endpoint = guard.endpoint();
            error = error
                .in_cluster(endpoint.cluster().as_str())
                .at_endpoint(endpoint.key().as_str());
        }
        error
    }

    /// Lets go of an answer that counts as a failure whatever its body would have said.
    pub(crate) fn failed(mut self) {
        if let Some((mut guard, _)) = self.guard.take() {
            guard.record(Outcome::Failure);
        }
    }

    /// Records how the request ended: with an error, or as what has been seen says.
    fn finish(&mut self, ended: Result<(), &Error>) {
        if let Some((mut guard, judge)) = self.guard.take() {
            guard.record(ended.map_or(Outcome::Failure, |()| judge.outcome()));
        }
        self.account
            .end(ended.map_or_else(End::Failed, |()| End::Answered));
    }

    fn see_trailers(&mut self, trailers: &HeaderMap) {
        if let Some((_, judge)) = &mut self.guard {
            self.account.see(judge.see_trailers(trailers));
        }
    }

    /// Ends the body for being late. What is left of the stream is reset here, not when the caller
    /// lets go.
    fn cut(&mut self, late: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let late = self.named(late);
        self.inner = ResponseBody::empty();
        self.clocks.stop();
        self.finish(Err(&late));
        Poll::Ready(Some(Err(late)))
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
                if let Some(late) = self.clocks.look() {
                    return self.cut(late);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    self.see_trailers(trailers);
                }
                if self.inner.is_end_stream() {
                    self.finish(Ok(()));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                let error = self.named(error.into());
                self.finish(Err(&error));
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(None) => {
                self.finish(Ok(()));
                Poll::Ready(None)
            }
            Poll::Pending => {
                let late = std::task::ready!(self.clocks.poll_late(cx));
                self.cut(late)
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
