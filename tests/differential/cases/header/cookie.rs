//! Cookies are a header like others.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("cookie").regex(".*user=ann.*")));
    case.ask(get("/").header("cookie", "user=ann; a=b"));
    case.ask(
        get("/")
            .header("cookie", "a=b")
            .header("cookie", "user=ann")
            .by(Http1),
    );
    case.ask(
        get("/")
            .header("cookie", "a=b")
            .header("cookie", "user=ann")
            .by(Http2),
    );
}
