//! Calling the service inside a layer, and reading its errors.

use std::future::poll_fn;

use mesh_core::{Error, ErrorKind, error::BoxError};
use tower_service::Service;

/// Waits until the service is ready, and calls it. Takes a clone of the caller's: readiness belongs
/// to the one that is called.
pub(super) async fn call<S, R>(mut service: S, request: R) -> Result<S::Response, Error>
where
    S: Service<R>,
    S::Error: Into<BoxError>,
{
    let ready = poll_fn(|cx| service.poll_ready(cx)).await;
    ready.map_err(|error| {
        or_else(error, |source| {
            Error::new(ErrorKind::Connect, "the service is not ready").with_source(source)
        })
    })?;
    service.call(request).await.map_err(failed)
}

/// An error of a call or of a body. One that is not ours says nothing of how far the request came:
/// it may have been seen.
pub(super) fn failed(error: impl Into<BoxError>) -> Error {
    or_else(error, |source| {
        Error::new(ErrorKind::Reset, "the service failed")
            .sent()
            .with_source(source)
    })
}

/// The error itself if it is ours already.
fn or_else(error: impl Into<BoxError>, other: impl FnOnce(BoxError) -> Error) -> Error {
    match error.into().downcast::<Error>() {
        Ok(ours) => *ours,
        Err(source) => other(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_errors_pass_and_others_count_as_sent() {
        let ours = failed(Error::new(ErrorKind::NoRoute, "none").for_target("shop"));
        assert_eq!(ours.kind(), ErrorKind::NoRoute);
        assert_eq!(ours.to_string(), "none (target shop)");
        let other = failed("a cable was cut");
        assert_eq!(other.kind(), ErrorKind::Reset);
        assert!(other.was_sent());
        assert_eq!(other.to_string(), "the service failed: a cable was cut");
    }
}
