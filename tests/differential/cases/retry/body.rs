//! A body is sent again.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 1).backoff(ms(1), ms(2))));
    let bodies = ["", "a", &"x".repeat(100_000)];
    for body in bodies {
        case.ask(post("/", body).script("a", [Behaviour::status(503)]));
        case.ask(
            post("/", body)
                .chunked()
                .script("a", [Behaviour::status(503)]),
        );
    }
}
