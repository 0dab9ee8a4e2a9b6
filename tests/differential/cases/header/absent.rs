//! A header that is not there.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").present(false)));
    case.with("x-a", &["v", ""]);
}
