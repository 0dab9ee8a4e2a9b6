//! An answer without a body is one like others.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 1).backoff(ms(1), ms(2))));
    case.ask(
        get("/")
            .method("HEAD")
            .script("a", [Behaviour::status(503)]),
    );
    case.ask(
        get("/")
            .method("HEAD")
            .script("a", vec![Behaviour::status(503); 2]),
    );
}
