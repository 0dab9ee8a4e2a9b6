//! All tests have to hold.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| {
        route
            .when_query(query("a").exact("1"))
            .when_query(query("b").present(true))
    });
    case.gets(&["/?a=1&b", "/?b=2&a=1", "/?a=1", "/?b", "/?a=2&b"]);
}
