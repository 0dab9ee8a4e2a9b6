//! Lines that end in a newline alone.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let raw = case.saying("HTTP/1.1 200 OK\ncontent-length: 2\n\nhi");
    let raw = case.cluster("raw", &[raw]);
    case.routes([to(&raw)]);
    case.gets(&["/"]);
}
