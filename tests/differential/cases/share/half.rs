//! Every other request.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.share(50.0));
    case.ask(get("/").times(200).by(Http1));
}
