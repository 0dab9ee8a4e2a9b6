//! Three priorities, of which the last is whole.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.server("a"), case.server("b"), case.server("c"));
    let (d, e) = (case.server("d"), case.server("e"));
    let endpoints = |full: &str| {
        let bad = HealthStatus::Unhealthy;
        let first = xds::locality("first").endpoint(a).endpoint(b).health(bad);
        let second = xds::locality("second")
            .priority(1)
            .endpoint(c)
            .health(bad)
            .endpoint(d);
        let third = xds::locality("third").priority(2).endpoint(e);
        xds::no_endpoints(full)
            .locality(first)
            .locality(second)
            .locality(third)
    };
    let all = case.cluster_with("all", endpoints, |cluster| panic_below(cluster, 0.0));
    case.routes([to(&all)]);
    case.ask(get("/").times(250).by(Http1));
}
