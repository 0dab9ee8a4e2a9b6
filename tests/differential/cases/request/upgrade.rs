//! Another protocol is refused.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    case.ask(raw(&[
        "GET /chat HTTP/1.1",
        "host: shop.test",
        "connection: upgrade",
        "upgrade: websocket",
    ]));
    case.ask(raw(&[
        "GET /chat HTTP/1.1",
        "host: shop.test",
        "connection: upgrade",
        "upgrade: other",
    ]));
    case.ask(raw(&[
        "GET /chat HTTP/1.1",
        "host: shop.test",
        "upgrade: websocket",
    ]));
    case.ask(raw(&[
        "GET /chat HTTP/1.1",
        "host: shop.test",
        "connection: upgrade, http2-settings",
        "upgrade: h2c",
        "http2-settings: AAMAAABkAAQAAP__",
    ]));
}
