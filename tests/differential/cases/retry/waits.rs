//! A wait of half a second at most, twice.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 2).backoff(ms(100), ms(100))));
    case.ask(
        get("/")
            .script("a", vec![Behaviour::status(503); 2])
            .times(5)
            .by(Http1),
    );
}
