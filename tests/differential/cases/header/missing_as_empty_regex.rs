//! A missing header where nothing may match.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").regex("[0-9]*").or_empty()));
    case.with("x-a", &["1", "a", ""]);
}
