//! Both sides of a comparison as they were written.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.backend("a"), case.backend("b"), case.backend("c"));
    case.routes([
        to(&a).when_query(query("k").exact("a%20b")),
        to(&b).when_query(query("%6b").exact("1")),
        to(&c),
    ]);
    case.gets(&["/?k=a%20b", "/?k=a%20B", "/?%6b=1", "/?%6B=1", "/?k=1"]);
}
