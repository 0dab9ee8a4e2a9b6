//! A share counts among those that the rest of the route takes.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.prefix("/a").share(20.0));
    case.ask(get("/a").times(200).by(Http1));
    case.ask(get("/b").times(20).by(Http1));
}
