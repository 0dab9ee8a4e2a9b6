//! A prefix in any case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.prefix("/Shop").ignore_case());
    case.gets(&["/shop", "/SHOP/a", "/sHoPping", "/sho"]);
}
