//! A route's own faults replace those of the listener.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    case.edit_listener(|listener| listener.fault(fault().abort_http(418, 100.0)));
    case.routes([
        to(&a)
            .prefix("/other")
            .fault(fault().abort_http(503, 100.0)),
        to(&a).prefix("/late").fault(fault().delay(ms(100), 100.0)),
        to(&a).prefix("/none").fault(fault()),
        to(&a),
    ]);
    case.gets(&["/other", "/late", "/none", "/"]);
}
