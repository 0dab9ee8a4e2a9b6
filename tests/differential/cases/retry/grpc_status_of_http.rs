//! A gRPC status is looked at whatever the request is.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("unavailable", 1).backoff(ms(1), ms(2))));
    let ended = Behaviour::default().with_header("grpc-status", "14");
    case.ask(get("/").script("a", [ended]));
}
