//! A parameter that is there.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("p").present(true)));
    case.gets(&[
        "/?p", "/?p=", "/?p=1", "/?x&p", "/?pp=1", "/", "/?", "/?=p", "/?P",
    ]);
}
