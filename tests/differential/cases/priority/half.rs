//! Half of the first priority: the rest goes to the second.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.server("a"), case.server("b"), case.server("c"));
    let endpoints = |full: &str| {
        let first = xds::locality("first")
            .endpoint(a)
            .endpoint(b)
            .health(HealthStatus::Unhealthy);
        let second = xds::locality("second").priority(1).endpoint(c);
        xds::no_endpoints(full).locality(first).locality(second)
    };
    let all = case.cluster_with("all", endpoints, |cluster| cluster);
    case.routes([to(&all)]);
    case.ask(get("/").times(200).by(Http1));
}
