//! The caller says how it is to fail.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault_of_caller(100)));
    case.one(|route| route);

    case.with(
        "x-envoy-fault-abort-request",
        &["503", "200", "600", "700", "99", "x", "", "204"],
    );
    case.ask(get("/").header("x-envoy-fault-abort-grpc-request", "5"));
    case.ask(
        get("/a/b")
            .grpc()
            .header("x-envoy-fault-abort-grpc-request", "5"),
    );
    case.ask(
        get("/a/b")
            .grpc()
            .header("x-envoy-fault-abort-request", "404"),
    );
}
