//! A service that does not speak HTTP.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let rude = case.saying("hello\r\n\r\n");
    let rude = case.cluster("rude", &[rude]);
    case.routes([
        to(&rude).prefix("/once"),
        to(&rude)
            .prefix("/reset")
            .retry(retry("reset", 1).backoff(ms(1), ms(2))),
        to(&rude)
            .prefix("/5xx")
            .retry(retry("5xx", 1).backoff(ms(1), ms(2))),
        to(&rude)
            .prefix("/gateway")
            .retry(retry("gateway-error", 1).backoff(ms(1), ms(2))),
        to(&rude)
            .prefix("/connect")
            .retry(retry("connect-failure", 1).backoff(ms(1), ms(2))),
    ]);
    case.gets(&["/once", "/reset", "/5xx", "/gateway", "/connect"]);
}
