//! What is left is told of each attempt.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route
            .timeout(ms(2100))
            .retry(retry("5xx", 1).backoff(ms(1), ms(2)))
    });
    let late = Behaviour {
        delay: ms(400),
        ..Behaviour::status(503)
    };
    case.ask(get("/").script("a", [late]));
}
