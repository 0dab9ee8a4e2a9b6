//! Localities of one weight each share by their endpoints.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let endpoints = |full: &str| {
        let one = xds::locality("one").locality_weight(1).endpoint(a);
        let two = xds::locality("two").locality_weight(3).endpoint(b);
        xds::no_endpoints(full).locality(one).locality(two)
    };
    let all = case.cluster_with("all", endpoints, |cluster| cluster);
    case.routes([to(&all)]);
    case.ask(get("/").times(120).by(Http1));
}
