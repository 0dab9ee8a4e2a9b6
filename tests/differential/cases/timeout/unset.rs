//! What the service is told of the default.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    case.ask(get("/"));
    case.ask(get("/").header("x-envoy-expected-rq-timeout-ms", "7"));
}
