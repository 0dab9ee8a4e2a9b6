//! The clocks that run while a response body is read.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use mesh_core::{Error, ErrorKind};
use tokio::time::Sleep;

use crate::{clock, timeout::EndOfRequest};

/// How many frames that need no waiting are passed on between two looks at the clock. A body that is
/// always there would otherwise outlive every limit.
const FRAMES_A_LOOK: u8 = 32;

/// When a body is late, and by which limit. Kept small: every answer is moved with it.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    deadline: Option<Deadline>,
    waiting: Option<Box<Waiting>>,
}

/// What only bodies need that are not there at once, or come while the request is still being sent.
#[derive(Debug, Default)]
struct Waiting {
    // Armed only when a read has to wait.
    sleep: Option<Pin<Box<Sleep>>>,
    open: Option<Open>,
}

/// The moment from which a body is late.
#[derive(Debug)]
struct Deadline {
    at: Instant,
    kind: ErrorKind,
    // Those passed on since the clock was looked at.
    frames: u8,
}

/// A clock that does not run yet, since the request is still being sent.
struct Open {
    limit: Duration,
    kind: ErrorKind,
    expiry: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Clocks {
    /// Late with `kind` once `at` has passed, unless an earlier moment is set already.
    pub(crate) fn until(&mut self, at: Instant, kind: ErrorKind) {
        if self.deadline.as_ref().is_none_or(|it| at < it.at) {
            let frames = 0;
            self.deadline = Some(Deadline { at, kind, frames });
        }
    }

    /// Late with `kind` once the request has ended and `limit` has passed since, unless a shorter
    /// limit of this sort is set already. All that are open wait for the same end.
    pub(crate) fn until_after(&mut self, ended: EndOfRequest, limit: Duration, kind: ErrorKind) {
        let waiting = self.waiting.get_or_insert_default();
        if waiting.open.as_ref().is_none_or(|open| limit < open.limit) {
            let expiry = Box::pin(async move {
                let end = ended.wait().await;
                clock::sleep_until(end.checked_add(limit)).await;
            });
            waiting.open = Some(Open {
                limit,
                kind,
                expiry,
            });
        }
    }

    /// For a read that has to wait: ready when it is too late.
    pub(crate) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if let Some(waiting) = &mut self.waiting
            && let Some(open) = &mut waiting.open
            && open.expiry.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(late(open.kind));
        }
        let Some(Deadline { at, kind, .. }) = self.deadline else {
            return Poll::Pending;
        };
        let waiting = self.waiting.get_or_insert_default();
        let sleep = waiting
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at.into())));
        sleep.as_mut().poll(cx).map(|()| late(kind))
    }

    /// For a frame that was there: whether it came too late, as far as is looked.
    pub(crate) fn look(&mut self) -> Option<Error> {
        let it = self.deadline.as_mut()?;
        it.frames = (it.frames + 1) % FRAMES_A_LOOK;
        (it.frames == 0 && clock::now() >= it.at).then(|| late(it.kind))
    }

    /// No clock runs any more.
    pub(crate) fn stop(&mut self) {
        *self = Self::default();
    }
}

fn late(kind: ErrorKind) -> Error {
    let text = match kind {
        ErrorKind::RouteTimeout => "the response body was not complete within the route's timeout",
        ErrorKind::AttemptTimeout => {
            "the response body was not complete within the attempt's timeout"
        }
        _ => "the deadline passed while the response body was read",
    };
    Error::new(kind, text).sent()
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("limit", &self.limit)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::body::RequestBody;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_has_to_wait_is_late_too() {
        let mut clocks = Clocks::default();
        clocks.until(clock::now() + SECOND, ErrorKind::RouteTimeout);
        assert!((0..100).all(|_| clocks.look().is_none()));
        tokio::time::advance(SECOND).await;
        let late = (0..FRAMES_A_LOOK).find_map(|_| clocks.look()).unwrap();
        assert_eq!(late.kind(), ErrorKind::RouteTimeout);
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_limits_the_earlier_counts_in_either_order() {
        let (route, attempt) = (ErrorKind::RouteTimeout, ErrorKind::AttemptTimeout);
        for (first, second) in [(1, 2), (2, 1)] {
            let start = clock::now();
            let mut running = Clocks::default();
            running.until(start + SECOND * first, attempt);
            running.until(start + SECOND * second, route);
            // A request that is still being sent when its answer begins; then it ends.
            let mut body = RequestBody::boxed(http_body_util::StreamBody::new(
                futures_util::stream::pending::<Result<_, std::io::Error>>(),
            ));
            let ended = EndOfRequest::of(&mut body);
            let mut open = Clocks::default();
            open.until_after(ended.clone(), SECOND * first, attempt);
            open.until_after(ended, SECOND * second, route);
            drop(body);
            for mut clocks in [running, open] {
                let late = poll_fn(|cx| clocks.poll_late(cx)).await;
                assert_eq!(late.kind(), if first == 1 { attempt } else { route });
                assert_eq!(clock::now() - start, SECOND);
            }
        }
    }
}
