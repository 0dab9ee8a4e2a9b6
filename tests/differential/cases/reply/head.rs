//! An answer to HEAD.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    case.ask(get("/").method("HEAD"));
    case.ask(
        get("/")
            .method("HEAD")
            .script("a", [Behaviour::status(404)]),
    );
}
