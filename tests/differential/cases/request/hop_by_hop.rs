//! What concerns the connection alone does not pass.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for (name, value) in [
        ("connection", "keep-alive"),
        ("connection", "x-a"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic x"),
        ("te", "trailers"),
        ("te", "gzip, trailers"),
        ("te", "gzip"),
        ("trailer", "x-end"),
    ] {
        case.ask(get("/").header(name, value).header("x-a", "b").by(Http1));
    }
    case.ask(get("/").header("te", "trailers").by(Http2));
}
