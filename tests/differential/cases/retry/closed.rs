//! A service that closes without an answer.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let silent = case.saying("");
    let closing = case.cluster("closing", &[silent]);
    case.routes([
        to(&closing).prefix("/once"),
        to(&closing)
            .prefix("/reset")
            .retry(retry("reset", 1).backoff(ms(1), ms(2))),
        to(&closing)
            .prefix("/connect")
            .retry(retry("connect-failure", 1).backoff(ms(1), ms(2))),
        to(&closing)
            .prefix("/before")
            .retry(retry("reset-before-request", 1).backoff(ms(1), ms(2))),
    ]);
    case.gets(&["/once", "/reset", "/connect", "/before"]);
    case.ask(post("/reset", "text"));
    case.ask(get("/once").grpc());
    case.ask(get("/once").method("HEAD"));
}
