//! A stranger may not say what is retried.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    case.routes([
        to(&a)
            .prefix("/1")
            .retry(retry("5xx", 1).backoff(ms(1), ms(2))),
        to(&a),
    ]);
    for path in ["/1", "/0"] {
        let failing = || get(path).script("a", vec![Behaviour::status(503); 2]);
        case.ask(failing().header("x-envoy-retry-on", "5xx"));
        case.ask(failing().header("x-envoy-max-retries", "5"));
        case.ask(
            failing()
                .header("x-envoy-retry-on", "5xx")
                .header("x-envoy-max-retries", "5"),
        );
        case.ask(failing().header("x-envoy-retry-grpc-on", "unavailable"));
        case.ask(failing().header("x-envoy-retriable-status-codes", "503"));
    }
}
