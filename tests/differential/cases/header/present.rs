//! A header that is there.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").present(true)));
    case.with("x-a", &["v", ""]);
}
