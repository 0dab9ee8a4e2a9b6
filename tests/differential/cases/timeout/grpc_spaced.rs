//! A deadline with a space in it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.grpc_timeout_max(ms(0)));
    case.ask(
        get("/")
            .header("grpc-timeout", "50 m")
            .script("a", [Behaviour::delay(ms(300))]),
    );
}
