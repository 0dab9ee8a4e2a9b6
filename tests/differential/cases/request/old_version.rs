//! Requests of HTTP/1.0.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    case.ask(raw(&["GET / HTTP/1.0", "host: shop.test"]).unlogged());
}
