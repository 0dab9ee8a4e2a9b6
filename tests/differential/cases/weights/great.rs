//! Weights near the limit.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.weighted(&[("a", 1), ("b", u32::MAX - 1)], "x-dice");
    case.dice(&["0", "1", "4294967294", "4294967295", "4294967296"]);
}
