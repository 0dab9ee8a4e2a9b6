//! Several lines leave it to the dice.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.weighted(&[("a", 1), ("b", 1)], "x-dice");
    case.ask(
        get("/")
            .header("x-dice", "0")
            .header("x-dice", "1")
            .times(60)
            .by(Http1),
    );
    case.ask(
        get("/")
            .header("x-dice", "0")
            .header("x-dice", "0")
            .times(60)
            .by(Http1),
    );
}
