//! What is no request.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    case.ask(
        raw(&[
            "GET / HTTP/1.1",
            "host: shop.test",
            "content-length: 1",
            "content-length: 2",
        ])
        .unlogged(),
    );
    case.ask(raw(&["GET / HTTP/1.1", "host: shop.test", "x a: b"]).unlogged());
    case.ask(raw(&["GET / HTTP/1.1", "host: shop.test", "nonsense"]).unlogged());
}
