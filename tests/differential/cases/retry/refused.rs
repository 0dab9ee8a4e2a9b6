//! Nobody listens, however often it is tried.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let nowhere = case.nowhere();
    let (dead, dead2) = (
        case.cluster("dead", &[nowhere]),
        case.cluster2("dead2", &[nowhere]),
    );
    case.routes([
        to(&dead).prefix("/once"),
        to(&dead)
            .prefix("/again")
            .retry(retry("connect-failure", 2).backoff(ms(1), ms(2))),
        to(&dead)
            .prefix("/reset")
            .retry(retry("reset", 1).backoff(ms(1), ms(2))),
        to(&dead)
            .prefix("/before")
            .retry(retry("reset-before-request", 1).backoff(ms(1), ms(2))),
        to(&dead)
            .prefix("/refused")
            .retry(retry("refused-stream", 1).backoff(ms(1), ms(2))),
        to(&dead2).retry(retry("connect-failure", 1).backoff(ms(1), ms(2))),
    ]);
    case.gets(&["/once", "/again", "/reset", "/before", "/refused", "/http2"]);
    case.ask(get("/again").grpc());
    case.ask(post("/again", "text"));
}
