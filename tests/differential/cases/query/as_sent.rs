//! Nothing of a query is decoded.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("k").exact("a b")));
    case.gets(&["/?k=a%20b", "/?k=a+b", "/?%6B=a"]);
}
