//! A locality that is half healthy gets less.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.server("a"), case.server("b"), case.server("c"));
    let endpoints = |full: &str| {
        let one = xds::locality("one")
            .endpoint(a)
            .endpoint(b)
            .health(HealthStatus::Unhealthy);
        let two = xds::locality("two").endpoint(c);
        xds::no_endpoints(full).locality(one).locality(two)
    };
    let all = case.cluster_with("all", endpoints, by_locality);
    case.routes([to(&all)]);
    case.ask(get("/").times(250).by(Http1));
}
