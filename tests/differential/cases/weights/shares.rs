//! One of four, by the dice.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.backend("a"), case.backend("b"));
    case.routes([split(&[(&a, 1), (&b, 3)])]);
    case.ask(get("/").times(200).by(Http1));
}
