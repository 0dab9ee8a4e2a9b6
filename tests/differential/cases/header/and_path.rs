//! Headers and path together.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.backend("a"), case.backend("b"), case.backend("c"));
    case.routes([
        to(&a).prefix("/shop").when(header("x-a").exact("1")),
        to(&b).prefix("/shop/a"),
        to(&c),
    ]);
    for path in ["/shop/a", "/shop", "/"] {
        case.ask(get(path));
        case.ask(get(path).header("x-a", "1"));
    }
}
