//! Every request is failed.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().abort_http(418, 100.0)));
    case.one(|route| route);

    case.ask(get("/"));
    case.ask(post("/", "text"));
    case.ask(get("/").method("HEAD").by(Http2));
    case.ask(get("/a/b").grpc());
}
