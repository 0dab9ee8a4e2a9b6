//! Trailers of a request.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.backend("a"), case.backend2("b"));
    case.routes([to(&a).prefix("/1"), to(&b)]);
    for path in ["/1", "/2"] {
        case.ask(post(path, "text").trailer("x-end", "1"));
    }
}
