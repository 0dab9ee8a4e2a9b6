//! Statuses pass.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    for status in [200, 201, 206, 301, 400, 404, 418, 429, 500, 503, 599] {
        case.ask(get("/").script("a", [Behaviour::status(status)]));
    }
}
