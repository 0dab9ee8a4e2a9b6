//! Nothing is done to a path before it is compared, nor when it is sent.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.prefix("/a/b"));
    case.gets(&[
        "/a/b/../c",
        "/a/./b",
        "/a//b",
        "/a/%62",
        "/a/b/%2e%2e/x",
        "/a/b;v=1",
        "/a/b%2Fc",
        "/a/b/",
        "/a/b?x=/../y",
        "/a/b?%20+",
        "/a/b?",
        "/a/b??",
    ]);
}
