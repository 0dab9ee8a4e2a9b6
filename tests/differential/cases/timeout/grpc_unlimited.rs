//! The caller's own deadline as it is.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.grpc_timeout_max(ms(0)));
    case.ask(
        get("/")
            .header("grpc-timeout", "100m")
            .script("a", [Behaviour::delay(ms(500))]),
    );
    case.ask(
        get("/")
            .header("grpc-timeout", "10S")
            .script("a", [Behaviour::delay(ms(200))]),
    );
    case.ask(get("/").script("a", [Behaviour::delay(ms(200))]));
}
