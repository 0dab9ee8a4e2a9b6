//! A request has so long to be complete, and an answer as long as it likes.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.request_timeout(ms(200)));
    case.one(|route| route);
    case.ask(
        get("/")
            .by(Http1)
            .script("a", [Behaviour::delay(ms(400))]),
    );
    let lines = ["POST / HTTP/1.1", "host: shop.test", "content-length: 5"];
    case.ask(raw(&lines).then("ab"));
    case.ask(raw(&lines).unfinished().unlogged());
}
