//! One draw serves all routes of a request.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b, c) = (case.backend("a"), case.backend("b"), case.backend("c"));
    case.routes([to(&a).share(40.0), to(&b).share(40.0), to(&c)]);
    case.ask(get("/").times(200).by(Http1));
}
