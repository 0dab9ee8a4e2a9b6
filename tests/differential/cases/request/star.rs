//! OPTIONS of everything.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    case.ask(raw(&["OPTIONS * HTTP/1.1", "host: shop.test"]));
}
