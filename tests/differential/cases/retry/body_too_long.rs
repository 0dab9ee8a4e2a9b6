//! A body that is too long to be kept is not sent again.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 1).backoff(ms(1), ms(2))));
    let body = "x".repeat(1_500_000);
    case.ask(
        post("/", &body)
            .by(Http1)
            .script("a", [Behaviour::status(503)]),
    );
    case.ask(
        post("/", &body)
            .by(Http1)
            .chunked()
            .script("a", [Behaviour::status(503)]),
    );
}
