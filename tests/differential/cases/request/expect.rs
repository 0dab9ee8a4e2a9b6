//! Who waits to be told to go on.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    let expecting = [
        "POST / HTTP/1.1",
        "host: shop.test",
        "expect: 100-continue",
        "content-length: 4",
    ];
    case.ask(raw(&expecting).then("text"));
}
