//! A length that is no number.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let raw = case.saying("HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\nhi");
    let raw = case.cluster("raw", &[raw]);
    case.routes([to(&raw)]);
    case.gets(&["/"]);
}
