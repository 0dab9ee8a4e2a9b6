//! A limit of the exchange covers all attempts.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route
            .max_stream_duration(ms(300))
            .retry(retry("5xx", 5).backoff(ms(1), ms(2)))
    });
    let late = Behaviour {
        delay: ms(200),
        ..Behaviour::status(503)
    };
    case.ask(get("/").script("a", vec![late; 4]));
}
