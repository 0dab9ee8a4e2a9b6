//! Over HTTP/2 the authority goes before a host header.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test"]), ("b", &["b.test"])]);
    case.ask(get("/").at("a.test").header("host", "b.test").by(Http2));
    case.ask(get("/").at("a.test").header("host", "a.test").by(Http2));
}
