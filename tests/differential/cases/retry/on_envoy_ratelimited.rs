//! What `envoy-ratelimited` answers to.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("envoy-ratelimited", 1).backoff(ms(1), ms(2))));
    for status in [200, 429, 503] {
        let limited = Behaviour::status(status).with_header("x-envoy-ratelimited", "true");
        case.ask(get("/").script("a", [limited]));
        case.ask(get("/").script("a", [Behaviour::status(status)]));
    }
}
