//! An answer of trailers alone passes.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    let ended = Behaviour {
        body_size: Some(0),
        ..Behaviour::default()
    }
    .with_header("grpc-status", "14")
    .with_header("grpc-message", "later");
    case.ask(get("/a/b").grpc().script("a", [ended]));
}
