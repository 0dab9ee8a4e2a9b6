//! What the service is told of each attempt.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route.timeout(ms(4000)).retry(
            retry("5xx", 2)
                .per_try_timeout(ms(2000))
                .backoff(ms(1), ms(2)),
        )
    });
    case.ask(get("/").script("a", vec![Behaviour::status(503); 2]));
}
