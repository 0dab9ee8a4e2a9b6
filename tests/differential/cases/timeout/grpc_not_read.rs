//! The caller's own deadline where nobody asked for it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.max_stream_duration(ms(400)));
    case.ask(
        get("/")
            .header("grpc-timeout", "50m")
            .script("a", [Behaviour::delay(ms(200))]),
    );
    case.ask(
        get("/a/b")
            .grpc()
            .header("grpc-timeout", "50m")
            .script("a", [Behaviour::delay(ms(200))]),
    );
}
