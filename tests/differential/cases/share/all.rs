//! A share of everything.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.share(100.0));
    case.ask(get("/").times(20).by(Http1));
}
