//! Of a greater share after a smaller one the rest is left.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.backend("a"), case.backend("b"), case.backend("c"));
    case.routes([to(&a).share(30.0), to(&b).share(60.0), to(&c)]);
    case.ask(get("/").times(200).by(Http1));
}
