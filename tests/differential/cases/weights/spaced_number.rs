//! Spaces around a number, and a sign before it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.weighted(&[("a", 1), ("b", 1), ("c", 1)], "x-dice");
    for value in ["+1", "0 1"] {
        case.ask(get("/").header("x-dice", value).times(60).by(Http1));
    }
}
