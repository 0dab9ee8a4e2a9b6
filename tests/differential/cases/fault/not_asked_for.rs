//! Where the caller has no say its headers mean nothing.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().abort_http(418, 0.0)));
    case.one(|route| route);

    case.ask(get("/").header("x-envoy-fault-abort-request", "503"));
    case.ask(get("/").header("x-envoy-fault-delay-request", "5000"));
}
