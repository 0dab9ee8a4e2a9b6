//! An answer to HEAD.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    let empty = |status| Behaviour {
        body_size: Some(0),
        ..Behaviour::status(status)
    };
    for status in [200, 404, 503] {
        case.ask(
            get("/")
                .method("HEAD")
                .script("a", [empty(status)])
                .by(Http2),
        );
    }
}
