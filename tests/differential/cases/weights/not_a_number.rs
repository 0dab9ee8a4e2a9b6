//! What is no number leaves it to the dice.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.weighted(&[("a", 1), ("b", 1)], "x-dice");
    for value in ["x", "1x", "", "-1", "1.0"] {
        case.ask(get("/").header("x-dice", value).times(60).by(Http1));
    }
    case.ask(get("/").times(60).by(Http1));
}
