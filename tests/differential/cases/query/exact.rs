//! A parameter of one value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("k").exact("v")));
    case.gets(&[
        "/?k=v",
        "/?k=w",
        "/?k=V",
        "/?K=v",
        "/",
        "/?x=1&k=v",
        "/?k=v&x=1",
        "/?k=vv",
        "/?k",
    ]);
}
