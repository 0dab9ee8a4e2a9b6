//! A gRPC status for all, whatever they are.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(abort_grpc(5)));
    case.one(|route| route);

    case.ask(get("/a/b").grpc());
    case.ask(get("/"));
}
