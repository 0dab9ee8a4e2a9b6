//! The head of a request has so long to be complete, and the rest as long as it likes.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| {
        let listener = listener.stream_idle_timeout(ms(400));
        listener.request_headers_timeout(ms(200))
    });
    case.one(|route| route);
    case.ask(
        get("/")
            .by(Http1)
            .script("a", [Behaviour::delay(ms(300))]),
    );
    let lines = ["POST / HTTP/1.1", "host: shop.test", "content-length: 5"];
    case.ask(raw(&lines).then("ab"));
    case.ask(raw(&lines).unfinished().unlogged());
}
