//! What a connection line may name.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for name in [
        "content-length",
        "cookie",
        "accept",
        "x-none",
        "close, cookie",
    ] {
        let ask = get("/").header("connection", name).header("accept", "*/*");
        case.ask(ask.header("cookie", "a=b").by(Http1));
    }
}
