//! Bytes beyond ASCII.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").exact("\u{e9}t\u{e9}")));
    case.ask(get("/").header("x-a", "\u{e9}t\u{e9}").by(Http1));
    case.ask(get("/").header("x-a", "\u{c9}t\u{e9}").by(Http1));
}
