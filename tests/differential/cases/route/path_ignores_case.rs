//! A path in any case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.path("/Shop/A").ignore_case());
    case.gets(&["/shop/a", "/SHOP/A?x=Y", "/shop/ab"]);
}
