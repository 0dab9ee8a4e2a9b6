//! An answer of a rate limiter is not retried.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        let policy = retry("5xx,retriable-status-codes", 1).statuses(&[429]);
        route.retry(policy.backoff(ms(1), ms(2)))
    });
    for status in [503, 429] {
        let limited = Behaviour::status(status).with_header("x-envoy-ratelimited", "true");
        case.ask(get("/").script("a", [limited]));
        let overloaded = Behaviour::status(status).with_header("x-envoy-overloaded", "true");
        case.ask(get("/").script("a", [overloaded]));
    }
}
