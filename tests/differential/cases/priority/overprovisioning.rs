//! How much more a priority is trusted with.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.server("a"), case.server("b"), case.server("c"));
    let endpoints = |full: &str, factor: u32| {
        let first = xds::locality("first")
            .endpoint(a)
            .endpoint(b)
            .health(HealthStatus::Unhealthy);
        let second = xds::locality("second").priority(1).endpoint(c);
        xds::no_endpoints(full)
            .locality(first)
            .locality(second)
            .overprovisioning(factor)
    };
    let even = case.cluster_with("even", |full| endpoints(full, 100), |cluster| cluster);
    let much = case.cluster_with("much", |full| endpoints(full, 200), |cluster| cluster);
    case.routes([to(&even).prefix("/even"), to(&much)]);
    case.ask(get("/even").times(200).by(Http1));
    case.ask(get("/much").times(20).by(Http1));
}
