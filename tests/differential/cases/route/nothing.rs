//! No virtual host, no route, no cluster, no endpoint.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let empty = case.cluster_with("empty", xds::no_endpoints, |cluster| cluster);
    let nowhere = case.nowhere();
    let dead = case.cluster("dead", &[nowhere]);
    let missing = case.full("missing");
    case.host(
        &["shop.test"],
        [
            to(&empty).prefix("/empty"),
            to(&dead).prefix("/dead"),
            to(&missing).prefix("/missing"),
        ],
    );
    for path in ["/none", "/empty", "/dead", "/missing"] {
        case.ask(get(path));
        case.ask(get(path).grpc());
    }
    for path in ["/empty", "/dead"] {
        case.ask(get(path).method("HEAD"));
    }
    case.ask(get("/empty").at("other.test"));
}
