//! The first route that takes a request has it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.backend("a"), case.backend("b"), case.backend("c"));
    case.routes([
        to(&a).prefix("/a/b"),
        to(&b).path("/a/b"),
        to(&c).prefix("/a"),
        to(&a).prefix("/a/c"),
    ]);
    case.gets(&["/a/b", "/a/b/c", "/a/c", "/a", "/b"]);
}
