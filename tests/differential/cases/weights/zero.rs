//! A cluster of weight zero gets nothing.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.weighted(&[("a", 0), ("b", 3), ("c", 0)], "x-dice");
    case.dice(&["0", "1", "2", "3"]);
}
