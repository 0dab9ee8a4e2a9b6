//! The first wins, of whatever kind.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c, d) = (
        case.backend("a"),
        case.backend("b"),
        case.backend("c"),
        case.backend("d"),
    );
    case.routes([
        to(&a).regex("/x/[0-9]+"),
        to(&b).path("/x/1"),
        to(&c).path_prefix("/x"),
        to(&d).prefix("/x"),
    ]);
    case.gets(&["/x/1", "/x/a", "/x", "/xy", "/x/1/"]);
}
