//! A part of the caller's deadline is kept back.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route.grpc_timeout_max(ms(0)).edit_action(|action| {
            let limits = action.max_stream_duration.get_or_insert_default();
            limits.grpc_timeout_header_offset = Some(ms(300).try_into().unwrap());
        })
    });
    case.ask(
        get("/")
            .header("grpc-timeout", "400m")
            .script("a", [Behaviour::delay(ms(250))]),
    );
    case.ask(
        get("/")
            .header("grpc-timeout", "5S")
            .script("a", [Behaviour::delay(ms(150))]),
    );
}
