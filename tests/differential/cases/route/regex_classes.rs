//! Classes and counts.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.regex(r"/v\d{1,2}/[\w-]+/[^/]*"));
    case.gets(&[
        "/v1/a-b/",
        "/v12/a_b/c.d",
        "/v123/a/b",
        "/v1//b",
        "/v1/a/b/c",
    ]);
}
