//! In panic a cluster may rather fail.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let endpoints = |full: &str| {
        let bad = HealthStatus::Unhealthy;
        let local = xds::locality("local")
            .endpoint(a)
            .health(bad)
            .endpoint(b)
            .health(bad);
        xds::no_endpoints(full).locality(local)
    };
    let both = case.cluster_with("both", endpoints, fail_in_panic);
    case.routes([to(&both)]);
    case.gets(&["/"]);
}
