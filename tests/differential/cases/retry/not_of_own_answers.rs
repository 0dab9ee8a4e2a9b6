//! What the proxy says itself is not retried.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let empty = case.cluster_with("empty", xds::no_endpoints, |cluster| cluster);
    let missing = case.full("missing");
    let policy = || retry("5xx,gateway-error,connect-failure,reset", 2).backoff(ms(1), ms(2));
    case.routes([
        to(&empty).prefix("/empty").retry(policy()),
        to(&missing).retry(policy()),
    ]);
    case.gets(&["/empty", "/missing"]);
}
