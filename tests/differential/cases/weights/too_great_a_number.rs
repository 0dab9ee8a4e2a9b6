//! A number that fits nowhere.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.weighted(&[("a", 1), ("b", 1)], "x-dice");
    for value in ["18446744073709551616", "99999999999999999999999"] {
        case.ask(get("/").header("x-dice", value).times(60).by(Http1));
    }
}
