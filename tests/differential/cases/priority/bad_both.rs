//! Two priorities in panic share by their endpoints.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let endpoints = |full: &str| {
        let first = xds::locality("first")
            .endpoint(a)
            .health(HealthStatus::Unhealthy);
        let second = xds::locality("second")
            .priority(1)
            .endpoint(b)
            .health(HealthStatus::Unhealthy);
        xds::no_endpoints(full).locality(first).locality(second)
    };
    let all = case.cluster_with("all", endpoints, |cluster| cluster);
    case.routes([to(&all)]);
    case.ask(get("/").times(200).by(Http1));
}
