//! Half of all is no panic.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let endpoints = |full: &str| {
        let local = xds::locality("local");
        let local = local
            .endpoint(a)
            .health(HealthStatus::Healthy)
            .endpoint(b)
            .health(HealthStatus::Unhealthy);
        xds::no_endpoints(full).locality(local)
    };
    let both = case.cluster_with("both", endpoints, |cluster| cluster);
    case.routes([to(&both)]);
    case.ask(get("/").times(20).by(Http1));
}
