//! What a hyper error means for a request.

use http::{Request, Uri};
use hyper::client::conn::TrySendError;
use mesh_core::{bounds::Bound, error::Causes};

use crate::body::RequestBody;
use crate::connect::{SendFailure, SendFailureKind};

use super::request;
use super::upload::Upload;

pub(super) fn of_send(
    mut error: TrySendError<Request<RequestBody>>,
    uri: Uri,
    upload: Option<&Upload>,
) -> SendFailure {
    // hyper returns the message only if it has not begun to write it.
    if let Some(request) = error.take_message() {
        let request = request::restore(request, uri);
        return SendFailure::with_request(SendFailureKind::Unsent, request);
    }
    SendFailure::new(classify(error.error(), upload))
}

/// Classifies an error of an exchange under way.
pub(super) fn classify(error: &hyper::Error, upload: Option<&Upload>) -> SendFailureKind {
    if let Some(error) = upload.and_then(Upload::take_error) {
        SendFailureKind::RequestBody(error)
    } else if error.is_parse_too_large() {
        Bound::AnswerHead.exceeded();
        SendFailureKind::TooLarge
    } else if error.is_parse() || error.is_user() {
        SendFailureKind::Protocol(describe(error))
    } else {
        SendFailureKind::ConnectionLost(describe(error))
    }
}

/// hyper's message without its source says only what it was doing.
fn describe(error: &hyper::Error) -> Box<str> {
    Causes(error).to_string().into()
}
