//! What a header may say instead of the dice.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.weighted(&[("a", 1), ("b", 99)], "x-dice");
    case.dice(&[
        "100",
        "00",
        "0",
        "18446744073709551615",
        "18446744073709551600",
    ]);
}
