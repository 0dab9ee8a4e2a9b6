//! A dot is a character, of however many bytes.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").regex("a.b|x..y")));
    case.ask(get("/").header("x-a", "a\u{e9}b").by(Http1));
    case.ask(get("/").header("x-a", "axb").by(Http1));
    case.ask(get("/").header("x-a", "axxb").by(Http1));
    case.ask(get("/").header("x-a", "x\u{e9}y").by(Http1));
}
