//! Requests that come too slowly, or whose answers do.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Instant,
};

use http::StatusCode;
use mesh_core::{Error, ErrorKind, local_reply::LocalReply};

use crate::activity::{Activity, Late};

/// A request that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Exchange(Arc<Activity>);

impl Exchange {
    /// It begins, with its head; the rest of it may still be `arriving`.
    pub(super) fn begin(activity: &Arc<Activity>, now: Instant, arriving: bool) -> Self {
        activity.begin(now, arriving);
        Self(Arc::clone(activity))
    }

    /// A part of it has passed.
    pub(super) fn touch(&self, now: Instant) {
        self.0.touch(now);
    }

    /// By what it is late, if it is.
    pub(super) fn late(&self) -> Option<Late> {
        self.0.late()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Waits for an answer as long as its exchange is not late.
///
/// # Errors
/// Those of the answer, and one that does not matter if it is late: [`Exchange::late`] says by what.
pub(super) async fn in_time<T>(
    mut answer: Pin<&mut impl Future<Output = Result<T, Error>>>,
    exchange: Option<&Exchange>,
) -> Result<T, Error> {
    poll_fn(|cx| {
        // Passed on as it is: answers are large.
        let polled = answer.as_mut().poll(cx);
        if polled.is_pending() && exchange.is_some_and(|it| it.late().is_some()) {
            return Poll::Ready(Err(idle()));
        }
        polled
    })
    .await
}

/// The answer to a request that is late; `incomplete` if it has not arrived as a whole.
pub(super) fn reply(late: Late, incomplete: bool) -> LocalReply {
    let made = |body: &'static str, details: &'static str| LocalReply {
        details: details.into(),
        ..LocalReply::new(StatusCode::REQUEST_TIMEOUT, body)
    };
    match late {
        Late::Stream | Late::Connection => {
            let reply = LocalReply::of(&idle());
            match incomplete {
                true => reply.while_incomplete(),
                false => reply,
            }
        }
        Late::Request => made("request timeout", "request_overall_timeout"),
        Late::Head => made("request header timeout", "request_header_timeout"),
    }
}

/// The error of an answer to which nothing happens.
pub(super) fn idle() -> Error {
    Error::new(ErrorKind::StreamIdle, "nothing happened for too long").sent()
}
