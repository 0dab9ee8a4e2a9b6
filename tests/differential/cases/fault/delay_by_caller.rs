//! The caller says how long to wait.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault_of_caller(100)));
    case.one(|route| route);

    case.with("x-envoy-fault-delay-request", &["120", "0", "x", "-1"]);
}
