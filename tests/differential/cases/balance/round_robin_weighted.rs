//! In turn, by weight.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let endpoints = |full: &str| {
        let local = xds::locality("local")
            .endpoint(a)
            .weight(1)
            .endpoint(b)
            .weight(3);
        xds::no_endpoints(full).locality(local)
    };
    let all = case.cluster_with("all", endpoints, |cluster| cluster);
    case.routes([to(&all)]);
    case.ask(get("/").times(120).by(Http1));
}
