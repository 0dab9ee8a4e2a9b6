//! What an `h2` error means for a request.

use h2::Reason;

use crate::connect::{ResetReason, SendFailureKind};

use super::shared::Shared;

/// Classifies an error of an open stream.
///
/// A remote GOAWAY reaches a stream only if its id is above the last one that the peer processed;
/// streams below it see the end of the connection instead.
pub(super) fn classify(error: &h2::Error, shared: &Shared) -> SendFailureKind {
    if error.is_remote() {
        return match error.reason() {
            _ if error.is_go_away() => SendFailureKind::Refused,
            Some(Reason::REFUSED_STREAM) => SendFailureKind::Refused,
            Some(reason) => SendFailureKind::Reset(ResetReason::from_code(reason.into())),
            None => SendFailureKind::Protocol(error.to_string().into()),
        };
    }
    if error.is_io() {
        let text = error.to_string();
        let cause = shared.cause().unwrap_or(&text);
        return SendFailureKind::ConnectionLost(cause.into());
    }
    SendFailureKind::Protocol(error.to_string().into())
}

/// Classifies an error after response headers: the request was processed, so it was not refused.
pub(super) fn classify_body(error: &h2::Error, shared: &Shared) -> SendFailureKind {
    match classify(error, shared) {
        SendFailureKind::Refused => match error.reason() {
            Some(reason) if error.is_reset() => {
                SendFailureKind::Reset(ResetReason::from_code(reason.into()))
            }
            _ => SendFailureKind::ConnectionLost(error.to_string().into()),
        },
        kind => kind,
    }
}
