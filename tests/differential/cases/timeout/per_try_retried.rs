//! An attempt that does not come in time is followed by another.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route.retry(
            retry("5xx", 1)
                .per_try_timeout(ms(150))
                .backoff(ms(1), ms(2)),
        )
    });
    case.ask(get("/").script("a", [Behaviour::delay(ms(600))]));
    case.ask(post("/", "text").script("a", [Behaviour::delay(ms(600))]));
}
