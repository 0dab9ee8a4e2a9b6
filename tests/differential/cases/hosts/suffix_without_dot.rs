//! A suffix need not begin with a dot.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["*shop"])]);
    case.at(&["workshop", "shop", "a.shop", "shopx"]);
}
