//! A request that no route takes is failed too.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    let missing = case.full("missing");
    case.edit_listener(|listener| listener.fault(fault().abort_http(418, 100.0)));
    case.host(
        &["shop.test"],
        [to(&a).prefix("/a"), to(&missing).prefix("/missing")],
    );
    case.gets(&["/a", "/missing", "/none"]);
    case.ask(get("/").at("other.test"));
}
