//! A part that leads nowhere.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    let missing = case.full("missing");
    case.routes([split(&[(&a, 1), (&missing, 1)]).dice_in("x-dice")]);
    case.dice(&["0", "1"]);
}
