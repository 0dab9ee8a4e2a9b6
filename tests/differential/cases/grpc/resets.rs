//! Resets of a gRPC call.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR] {
        case.ask(get("/a/b").grpc().script("a", [Behaviour::reset(reason)]));
    }
}
