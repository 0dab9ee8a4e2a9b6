//! A stranger may not say how long it may take.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for name in [
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms",
    ] {
        case.ask(
            get("/")
                .header(name, "50")
                .script("a", [Behaviour::delay(ms(200))]),
        );
    }
    case.ask(get("/").header("x-envoy-upstream-rq-timeout-alt-response", "1"));
}
