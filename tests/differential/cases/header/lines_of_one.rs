//! Headers of which Envoy makes one line of several, whatever the route asks.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("user-agent").exact("a,b")));
    for name in NAMES {
        case.ask(get("/").header(name, "a").header(name, "b"));
    }
}

const NAMES: [&str; 27] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "expect",
    "forwarded",
    "from",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-timeout",
    "if-none-match",
    "origin",
    "pragma",
    "range",
    "referer",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-user",
];
