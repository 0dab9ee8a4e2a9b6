//! A wait before an answer of the proxy's own.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let empty = case.cluster_with("empty", xds::no_endpoints, |cluster| cluster);
    let nowhere = case.nowhere();
    let dead = case.cluster("dead", &[nowhere]);
    case.edit_listener(|listener| listener.fault(fault().delay(ms(60), 100.0)));
    case.routes([
        to(&empty).prefix("/empty"),
        to(&dead)
            .prefix("/again")
            .retry(retry("connect-failure", 1).backoff(ms(1), ms(2))),
        to(&dead),
    ]);
    case.gets(&["/empty", "/again", "/dead"]);
}
