//! An answer before the request is all there ends its connection.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    let missing = case.full("missing");
    let empty = case.cluster_with("empty", xds::no_endpoints, |cluster| cluster);
    case.edit_listener(|listener| listener.fault(fault()));
    case.host(
        &["shop.test"],
        [
            to(&missing).prefix("/missing"),
            to(&empty).prefix("/empty"),
            to(&a)
                .prefix("/fault")
                .fault(fault().abort_http(503, 100.0)),
            to(&a)
                .prefix("/late")
                .fault(fault().delay(ms(50), 100.0).abort_http(503, 100.0)),
        ],
    );
    for path in ["/none", "/missing", "/empty", "/fault", "/late"] {
        case.ask(post(path, "text"));
        case.ask(post(path, "text").chunked());
    }
    case.ask(post("/", "text").at("other.test"));
}
