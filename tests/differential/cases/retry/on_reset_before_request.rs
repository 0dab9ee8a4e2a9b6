//! What `reset-before-request` answers to.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route.retry(retry("reset-before-request", 1).backoff(ms(1), ms(2))));
    for status in [500, 501, 502, 503, 504, 409, 404, 429] {
        case.ask(get("/").script("a", [Behaviour::status(status)]).by(Http1));
    }
    for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR] {
        case.ask(get("/").script("a", [Behaviour::reset(reason)]).by(Http1));
    }
}
