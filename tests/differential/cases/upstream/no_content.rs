//! 204 has no body.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let raw = case.saying("HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n");
    let raw = case.cluster("raw", &[raw]);
    case.routes([to(&raw)]);
    case.gets(&["/"]);
}
