//! Queries that are written oddly.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("k").exact("v")));
    case.gets(&[
        "/?&&k=v",
        "/?k=v&",
        "/?k==v",
        "/?k=v=w",
        "/?;k=v",
        "/?x;k=v",
        "/??k=v",
        "/?k%3Dv",
        "/?x=?k=v&k=w",
    ]);
}
