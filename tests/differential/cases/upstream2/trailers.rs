//! Trailers pass where there is room for them.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    let ended = Behaviour::default().with_trailer("x-end", "1");
    case.ask(get("/").script("a", [ended]).by(Http2));
}
