//! A parameter that is not there.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("p").present(false)));
    case.gets(&["/?p", "/?p=", "/?x=1", "/"]);
}
