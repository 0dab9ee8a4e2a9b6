//! Where a host has no route for a request, none is sought elsewhere.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, rest) = (case.backend("a"), case.backend("rest"));
    case.host(&["shop.test"], [to(&a).prefix("/shop")]);
    case.host(&["*.test"], [to(&rest)]);
    case.host(&["*"], [to(&rest)]);
    case.gets(&["/shop", "/other"]);
    case.ask(get("/other").at("other.test"));
}
