//! A service that answers gRPC with a status of HTTP.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    for status in [404, 503] {
        case.ask(get("/a/b").grpc().script("a", [Behaviour::status(status)]));
    }
}
