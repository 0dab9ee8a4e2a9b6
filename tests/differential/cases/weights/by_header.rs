//! A header may stand for the dice.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.weighted(&[("a", 1), ("b", 2), ("c", 1)], "x-dice");
    case.dice(&["0", "1", "2", "3", "4", "5", "7", "1000003"]);
}
