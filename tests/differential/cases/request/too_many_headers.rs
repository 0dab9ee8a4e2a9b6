//! More header lines than are taken.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    let mut ask = get("/").by(Http1).unlogged();
    for number in 0..120 {
        ask = ask.header(&format!("x-{number}"), "y");
    }
    case.ask(ask);
}
