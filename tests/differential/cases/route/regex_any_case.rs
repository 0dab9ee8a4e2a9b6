//! A regular expression says itself whether it has a case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.backend("a"), case.backend("b"), case.backend("c"));
    case.routes([
        to(&a).regex("(?i)/shop"),
        to(&b).regex("/market").ignore_case(),
        to(&c),
    ]);
    case.gets(&["/shop", "/SHOP", "/market", "/Market"]);
}
