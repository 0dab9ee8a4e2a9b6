//! What is done to an answer before it leaves.

use http::{HeaderValue, Response, header::SERVER};

use crate::{connect::hop_by_hop, response::GuardedBody};

/// Envoy's name for itself, which it writes over the service's (`server_header_transformation`:
/// OVERWRITE). `date` is added by the connection where it is missing.
const NAME: HeaderValue = HeaderValue::from_static("envoy");

/// Makes of an answer one for the client's connection.
pub(super) fn respond(mut response: Response<GuardedBody>) -> Response<GuardedBody> {
    let headers = response.headers_mut();
    hop_by_hop::strip_response(headers);
    headers.insert(SERVER, NAME);
    response
}
