//! The statuses of a policy's own.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route.retry(
            retry("retriable-status-codes", 1)
                .statuses(&[404, 429])
                .backoff(ms(1), ms(2)),
        )
    });
    for status in [404, 429, 503, 200] {
        case.ask(get("/").script("a", [Behaviour::status(status)]));
    }
}
