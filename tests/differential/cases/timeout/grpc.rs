//! The caller's own deadline, up to a limit.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.grpc_timeout_max(ms(300)));
    for timeout in ["100m", "10S", "100000u"] {
        let ask = get("/").header("grpc-timeout", timeout);
        case.ask(ask.script("a", [Behaviour::delay(ms(700))]));
    }
    case.ask(get("/").script("a", [Behaviour::delay(ms(700))]));
    case.ask(
        get("/a/b")
            .grpc()
            .header("grpc-timeout", "100m")
            .script("a", [Behaviour::delay(ms(700))]),
    );
}
