//! A header that the connection line names is gone before routes are tried.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").present(true)));
    case.ask(
        get("/")
            .header("connection", "x-a")
            .header("x-a", "v")
            .by(Http1),
    );
    case.ask(
        get("/")
            .header("connection", "close, X-A")
            .header("x-a", "v")
            .by(Http1),
    );
    case.ask(get("/").header("x-a", "v").by(Http1));
}
