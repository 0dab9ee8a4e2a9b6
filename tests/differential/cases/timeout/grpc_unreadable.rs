//! A deadline that cannot be read.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route
            .max_stream_duration(ms(5000))
            .grpc_timeout_max(ms(250))
    });
    for timeout in ["100", "m", "", "-1m", "1.5S", "123456789m", "50x", "5s"] {
        let ask = get("/").header("grpc-timeout", timeout).by(Http1);
        case.ask(ask.script("a", [Behaviour::delay(ms(450))]));
    }
}
