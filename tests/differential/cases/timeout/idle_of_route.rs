//! A route says for itself how long nothing may happen to a request: less, more or for ever.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    case.edit_listener(|listener| listener.stream_idle_timeout(ms(300)));
    let idle = |limit| to(&a).timeout(ms(0)).idle_timeout(ms(limit));
    case.routes([
        idle(100).prefix("/less"),
        idle(900).prefix("/more"),
        idle(0).prefix("/off"),
        to(&a).timeout(ms(0)),
    ]);
    for (path, wait) in [
        ("/less", 200),
        ("/more", 500),
        ("/off", 500),
        ("/", 100),
        ("/", 500),
    ] {
        case.ask(get(path).by(Http1).script("a", [Behaviour::delay(ms(wait))]));
    }
    let lines = [
        "POST /less HTTP/1.1",
        "host: shop.test",
        "content-length: 5",
    ];
    case.ask(raw(&lines).then("ab"));
    // Its route is not known yet.
    case.ask(raw(&lines).unfinished().unlogged());
}
