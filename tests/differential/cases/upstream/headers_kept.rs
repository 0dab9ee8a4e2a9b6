//! What a service says passes, in whatever case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let raw = case.saying("HTTP/1.1 200 OK\r\nX-Upper: A\r\nx-twice: 1\r\nx-twice: 2\r\nx-empty:\r\nvary: a, b\r\nset-cookie: a=b\r\nset-cookie: c=d\r\ncontent-length: 2\r\n\r\nhi");
    let raw = case.cluster("raw", &[raw]);
    case.routes([to(&raw)]);
    case.gets(&["/"]);
}
