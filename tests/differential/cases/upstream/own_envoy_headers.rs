//! What a service says in the proxy's name.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let raw = case.saying("HTTP/1.1 200 OK\r\nx-envoy-upstream-service-time: 77\r\nx-envoy-attempt-count: 9\r\nx-envoy-overloaded: true\r\nx-envoy-immediate-health-check-fail: x\r\ncontent-length: 2\r\n\r\nhi");
    let raw = case.cluster("raw", &[raw]);
    case.routes([to(&raw)]);
    case.gets(&["/"]);
}
