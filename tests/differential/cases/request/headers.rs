//! Headers pass as they are.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    case.ask(
        get("/")
            .header("x-a", "1")
            .header("x-a", "2")
            .header("x-b", ""),
    );
    case.ask(get("/").header("X-Upper", "Value").by(Http1));
    case.ask(get("/").header("x-a", "  spaces  ").by(Http1));
    case.ask(
        get("/")
            .header("accept", "*/*")
            .header("accept-encoding", "gzip, br"),
    );
    case.ask(get("/").header("x_under_score", "1"));
    case.ask(get("/").header("x-utf8", "\u{e9}").by(Http1));
    case.ask(
        get("/")
            .header("authorization", "Bearer x")
            .header("cookie", "a=b"),
    );
}
