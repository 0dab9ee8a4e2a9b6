//! From what a connection reports to the error of the data path.

use http::Request;
use mesh_core::{Error, ErrorKind, bounds::Bound};

use super::DialError;
use crate::{
    body::RequestBody,
    connect::{ConnError, ResetReason, SendFailure, SendFailureKind},
};

/// A request that got no response.
#[derive(Debug)]
pub(crate) struct SendError {
    /// Why.
    pub(crate) error: Error,
    /// Whether the request is whole, in the place that it was lent from.
    pub(crate) whole: bool,
}

impl SendError {
    pub(super) const fn unsent(error: Error) -> Self {
        Self { error, whole: true }
    }

    /// What a connection said. The request that it gives back goes to its place.
    pub(super) fn of(mut failure: SendFailure, place: &mut Request<RequestBody>) -> Self {
        let given_back = failure.request.take();
        let whole = given_back.is_some();
        if let Some(request) = given_back {
            *place = *request;
        }
        let error = error_of_send(failure.kind, whole);
        Self { error, whole }
    }

    /// No connection could be made. The reason is the error's source, as that of a picker that finds
    /// no endpoint: answers and logs quote it from there.
    pub(super) fn connect(failed: &DialError) -> Self {
        let text = match failed.kind {
            ErrorKind::ConnectTimeout => "could not connect in time",
            _ => "could not connect",
        };
        let error = Error::new(failed.kind, text).with_source(&*failed.reason);
        Self::unsent(error)
    }

    pub(super) fn overloaded() -> Self {
        Self::unsent(too_many())
    }
}

/// No more requests may wait for a connection.
pub(crate) fn too_many() -> Error {
    Bound::PendingRequests.exceeded();
    let text = "too many requests wait for a connection: max_pending_requests is reached";
    Error::new(ErrorKind::Overloaded, text)
}

impl From<SendFailure> for Error {
    fn from(failure: SendFailure) -> Self {
        error_of_send(failure.kind, failure.request.is_some())
    }
}

impl From<ConnError> for Error {
    fn from(error: ConnError) -> Self {
        error_of(error.into_kind(), "while the response body was read").sent()
    }
}

fn error_of_send(kind: SendFailureKind, whole: bool) -> Error {
    match kind {
        // It is whole because it was never given to the connection: it cannot be expressed.
        SendFailureKind::Protocol(text) if whole => {
            Error::new(ErrorKind::BadRequest, String::from(text))
        }
        kind => error_of(kind, "before an answer came"),
    }
}

/// The error of an exchange that ended at a point that `when` says.
fn error_of(kind: SendFailureKind, when: &str) -> Error {
    match kind {
        SendFailureKind::Unsent => Error::new(
            ErrorKind::Reset,
            "the connection closed before the request was sent",
        ),
        SendFailureKind::Refused => Error::new(
            ErrorKind::Reset,
            "the endpoint refused the request unprocessed",
        )
        .with_h2_reason(ResetReason::REFUSED_STREAM.code()),
        SendFailureKind::Reset(reason) => Error::new(
            ErrorKind::Reset,
            format!("the endpoint reset the stream {when}: {reason}"),
        )
        .with_h2_reason(reason.code())
        .sent(),
        SendFailureKind::ConnectionLost(cause) => Error::new(
            ErrorKind::Reset,
            format!("the connection was lost {when}: {cause}"),
        )
        .sent(),
        SendFailureKind::RequestBody(source) => {
            Error::new(ErrorKind::BadRequest, "the request body failed")
                .with_source(source)
                .sent()
        }
        SendFailureKind::Protocol(text) => Error::new(
            ErrorKind::Protocol,
            format!("the endpoint broke the protocol: {text}"),
        )
        .sent(),
        SendFailureKind::TooLarge => Error::new(
            ErrorKind::Protocol,
            "the head of the endpoint's answer is too large",
        )
        .sent(),
    }
}
