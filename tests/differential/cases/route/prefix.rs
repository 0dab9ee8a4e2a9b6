//! A prefix is one of characters, not of segments.

use mesh_testkit::xds::to;

use crate::{Case, get, post};

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let (shop, rest) = (case.cluster("shop", &[a]), case.cluster("rest", &[b]));
    case.routes([to(&shop).prefix("/shop"), to(&rest).prefix("/")]);
    for path in ["/shop", "/shop/a?b=c", "/shopping", "/Shop", "/", "/a/../shop", "//shop"] {
        case.ask(get(path));
    }
    case.ask(post("/shop/order", "two of each").header("x-user", "ann"));
}
