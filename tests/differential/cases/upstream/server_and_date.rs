//! A service's own name does not pass, its date does.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let raw = case.saying("HTTP/1.1 200 OK\r\nserver: theirs\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\ncontent-length: 2\r\n\r\nhi");
    let raw = case.cluster("raw", &[raw]);
    case.routes([to(&raw)]);
    case.gets(&["/"]);
}
