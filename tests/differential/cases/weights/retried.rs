//! A retry goes to the cluster of the first attempt.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.backend("a"), case.backend("b"));
    case.routes([split(&[(&a, 1), (&b, 1)])
        .dice_in("x-dice")
        .retry(retry("5xx", 2))]);
    for (server, dice) in [("a", "0"), ("b", "1")] {
        let ask = get("/").header("x-dice", dice);
        case.ask(ask.script(server, vec![Behaviour::status(503); 2]));
    }
}
