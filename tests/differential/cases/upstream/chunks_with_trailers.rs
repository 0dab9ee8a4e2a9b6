//! Trailers behind chunks.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let raw = case.saying(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-end: 1\r\n\r\n",
    );
    let raw = case.cluster("raw", &[raw]);
    case.routes([to(&raw)]);
    case.gets(&["/"]);
}
