//! A request to which nothing happens is not waited for, whether it comes from the client or has to be
//! answered.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.stream_idle_timeout(ms(200)));
    case.one(|route| route.timeout(ms(0)));
    case.ask(
        get("/")
            .by(Http1)
            .script("a", [Behaviour::delay(ms(1_000))]),
    );
    case.ask(get("/").script("a", [Behaviour::delay(ms(50))]));
    let lines = ["POST / HTTP/1.1", "host: shop.test", "content-length: 5"];
    case.ask(raw(&lines).then("ab"));
    case.ask(raw(&lines).unfinished().unlogged());
}
