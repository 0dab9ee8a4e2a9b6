//! How much of a body that came over HTTP/2 is kept.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 1).backoff(ms(1), ms(2))));
    let body = "x".repeat(1_500_000);
    case.ask(
        post("/", &body)
            .by(Http2)
            .script("a", [Behaviour::status(503)]),
    );
}
