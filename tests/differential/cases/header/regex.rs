//! A regular expression has to match the whole value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").regex("[0-9]+")));
    case.with("x-a", &["1", "123", "1a", "a1", ""]);
}
