//! No attempt comes in time.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route.retry(
            retry("5xx", 1)
                .per_try_timeout(ms(120))
                .backoff(ms(1), ms(2)),
        )
    });
    case.ask(get("/").script("a", vec![Behaviour::delay(ms(600)); 2]));
}
