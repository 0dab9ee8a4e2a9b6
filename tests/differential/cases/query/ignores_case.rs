//! A value in any case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.backend("a"), case.backend("b"), case.backend("c"));
    case.routes([
        to(&a).when_query(query("k").exact("Value").ignore_case()),
        to(&b).when_query(query("p").prefix("Val").ignore_case()),
        to(&c),
    ]);
    case.gets(&[
        "/?k=value",
        "/?k=VALUE",
        "/?k=values",
        "/?p=VALx",
        "/?P=val",
    ]);
}
