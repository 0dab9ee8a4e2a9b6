//! An empty value is a value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("k").exact("")));
    case.gets(&["/?k=", "/?k", "/?k=v", "/", "/?x"]);
}
