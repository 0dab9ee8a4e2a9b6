//! The caller may lower the share.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault_of_caller(100)));
    case.one(|route| route);

    let abort = || get("/").header("x-envoy-fault-abort-request", "503");
    for share in ["0", "100", "200", "x"] {
        case.ask(abort().header("x-envoy-fault-abort-request-percentage", share));
    }
    let delay = || get("/").header("x-envoy-fault-delay-request", "100");
    case.ask(delay().header("x-envoy-fault-delay-request-percentage", "0"));
}
