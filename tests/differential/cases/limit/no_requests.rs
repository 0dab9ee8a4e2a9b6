//! A cluster that may not be asked anything.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let full = case.cluster_with(
        "full",
        |full| xds::endpoints(full, &[a]),
        |it| it.max_requests(0),
    );
    let two = case.server2("b");
    let full2 = case.cluster_with(
        "full2",
        |full| xds::endpoints(full, &[two]),
        |it| it.http2().max_requests(0),
    );
    case.routes([
        to(&full).prefix("/1"),
        to(&full2).prefix("/2"),
        to(&full).retry(retry("5xx,reset", 2).backoff(ms(1), ms(2))),
    ]);
    case.gets(&["/1", "/2", "/retried"]);
    case.ask(get("/2").grpc());
    case.ask(get("/1").method("HEAD").by(Http2));
    case.ask(post("/2", "text"));
}
