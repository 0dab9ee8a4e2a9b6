//! Numbers below zero.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").range(-3, 0)));
    case.with("x-a", &["-3", "-4", "-1", "0", "-0", "--1"]);
}
