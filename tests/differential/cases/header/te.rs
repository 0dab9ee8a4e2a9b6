//! What a connection is told, and what is left of it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("te").present(true)));
    case.with("te", &["trailers"]);
}
