//! Answers of the proxy's own are trailers alone, whatever carries the call.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let missing = case.full("missing");
    case.host(&["shop.test"], [to(&missing).prefix("/missing")]);
    for path in ["/missing", "/none"] {
        case.ask(get(path).grpc());
        case.ask(post(path, "x").header("content-type", "application/grpc+json"));
        case.ask(post(path, "x").header("content-type", "application/grpc-web"));
        case.ask(get(path).header("content-type", "application/grpc"));
    }
}
