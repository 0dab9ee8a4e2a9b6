//! The caller may not raise the share.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault_of_caller(0)));
    case.one(|route| route);

    let abort = || get("/").header("x-envoy-fault-abort-request", "503");
    case.ask(abort().header("x-envoy-fault-abort-request-percentage", "100"));
    case.ask(abort());
}
