//! What a regular expression does not match.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").regex("[0-9]+").invert()));
    case.with("x-a", &["12", "1a", ""]);
}
