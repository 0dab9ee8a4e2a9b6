//! Characters that a path should not have.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for path in [
        "/a|b", "/a\"b", "/a{b}", "/a^b", "/a[b]", "/a'b", "/~a", "/a\\b",
    ] {
        case.ask(get(path).by(Http1));
    }
}
