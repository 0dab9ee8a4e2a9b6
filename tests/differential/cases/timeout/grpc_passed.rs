//! A deadline that has passed when the request comes.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.grpc_timeout_max(ms(0)));
    for timeout in ["0m", "1n"] {
        let ask = get("/").header("grpc-timeout", timeout);
        case.ask(ask.script("a", [Behaviour::delay(ms(300))]));
    }
}
