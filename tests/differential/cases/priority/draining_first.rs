//! A first priority that drains.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let endpoints = |full: &str| {
        let first = xds::locality("first")
            .endpoint(a)
            .health(HealthStatus::Draining);
        let second = xds::locality("second")
            .priority(1)
            .endpoint(b)
            .health(HealthStatus::Healthy);
        xds::no_endpoints(full).locality(first).locality(second)
    };
    let all = case.cluster_with("all", endpoints, |cluster| cluster);
    case.routes([to(&all)]);
    case.ask(get("/").times(20).by(Http1));
}
