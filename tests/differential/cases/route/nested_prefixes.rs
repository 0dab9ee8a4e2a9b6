//! A shorter prefix that comes later takes what is left.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.backend("a"), case.backend("b"), case.backend("c"));
    case.routes([
        to(&a).prefix("/api/v1/users"),
        to(&b).prefix("/api/v1"),
        to(&c).prefix("/api"),
    ]);
    case.gets(&[
        "/api/v1/users/3",
        "/api/v1/use",
        "/api/v1",
        "/api/v2",
        "/ap",
    ]);
}
