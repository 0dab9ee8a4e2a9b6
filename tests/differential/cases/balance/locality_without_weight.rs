//! A locality without a weight gets nothing.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let endpoints = |full: &str| {
        let one = xds::locality("one")
            .edit(|it| it.load_balancing_weight = None)
            .endpoint(a);
        let two = xds::locality("two").locality_weight(3).endpoint(b);
        xds::no_endpoints(full).locality(one).locality(two)
    };
    let all = case.cluster_with("all", endpoints, by_locality);
    case.routes([to(&all)]);
    case.ask(get("/").times(20).by(Http1));
}
