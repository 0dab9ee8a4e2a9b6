//! A prefix of whole segments in any case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.path_prefix("/Shop/A").ignore_case());
    case.gets(&["/shop/a", "/SHOP/A/b", "/shop/ab", "/shop"]);
}
