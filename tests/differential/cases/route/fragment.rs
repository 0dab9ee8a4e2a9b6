//! A path with a fragment.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    case.ask(raw(&["GET /a#b HTTP/1.1", "host: shop.test"]));
    case.ask(raw(&["GET /# HTTP/1.1", "host: shop.test"]));
}
