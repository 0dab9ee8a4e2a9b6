//! A refused connection does not lead to the next priority.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (nowhere, b) = (case.nowhere(), case.server("b"));
    let endpoints = |full: &str| {
        let first = xds::locality("first").endpoint(nowhere);
        let second = xds::locality("second").priority(1).endpoint(b);
        xds::no_endpoints(full).locality(first).locality(second)
    };
    let all = case.cluster_with("all", endpoints, |cluster| cluster);
    case.routes([
        to(&all)
            .prefix("/again")
            .retry(retry("connect-failure", 1).backoff(ms(1), ms(2))),
        to(&all),
    ]);
    case.gets(&["/", "/again"]);
}
