//! What is done to an answer before it leaves.

use std::time::Duration;

use http::{
    HeaderName, HeaderValue, Response, StatusCode, Version,
    header::{CONTENT_LENGTH, SERVER},
};

use crate::{connect::hop_by_hop, millis, response::GuardedBody};

/// Envoy's name for itself, which it writes over the service's (`server_header_transformation`:
/// OVERWRITE). `date` is added by the connection where it is missing.
const NAME: HeaderValue = HeaderValue::from_static("envoy");

/// How many milliseconds the service took, by our clock.
static SERVICE_TIME: HeaderName = HeaderName::from_static("x-envoy-upstream-service-time");

/// Makes of a service's answer one for the client's connection. The time that it `took` is counted from
/// the request's arrival.
pub(super) fn passed(mut response: Response<GuardedBody>, took: Duration) -> Response<GuardedBody> {
    // A service of HTTP/1.0 does not make ours one.
    *response.version_mut() = Version::HTTP_11;
    let bodiless = response.status() == StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    hop_by_hop::strip_response(headers);
    if bodiless {
        // RFC 9110 section 8.6.
        headers.remove(CONTENT_LENGTH);
    }
    let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    headers.insert(&SERVICE_TIME, millis::measured(took));
    made(response)
}

/// The same of one that was made here.
pub(super) fn made(mut response: Response<GuardedBody>) -> Response<GuardedBody> {
    response.headers_mut().insert(SERVER, NAME);
    response
}
