//! The opposite of presence.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").invert()));
    case.with("x-a", &["v", ""]);
}
