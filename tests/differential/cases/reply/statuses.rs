//! Statuses pass.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for status in [
        200, 201, 202, 206, 300, 301, 302, 307, 400, 401, 403, 404, 410, 418, 429, 500, 503, 599,
    ] {
        case.ask(get("/").script("a", [Behaviour::status(status)]).by(Http1));
    }
}
