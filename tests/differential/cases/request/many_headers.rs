//! Header lines up to the limit.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    let mut ask = get("/");
    for number in 0..80 {
        ask = ask.header(&format!("x-{number}"), "y");
    }
    case.ask(ask);
}
