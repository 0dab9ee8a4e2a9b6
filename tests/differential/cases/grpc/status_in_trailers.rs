//! Trailers pass.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    let ended = Behaviour::default()
        .with_header("content-type", "application/grpc")
        .with_trailer("grpc-status", "5")
        .with_trailer("grpc-message", "no%20such");
    case.ask(get("/a/b").grpc().script("a", [ended]));
}
