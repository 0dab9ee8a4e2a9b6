//! Another protocol that nobody asked for.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let raw = case
        .saying("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    let raw = case.cluster("raw", &[raw]);
    case.routes([to(&raw)]);
    case.gets(&["/"]);
}
