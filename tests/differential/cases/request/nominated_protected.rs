//! What a connection line may not name.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for name in ["host", "authorization", "x-forwarded-for"] {
        let ask = get("/")
            .header("connection", name)
            .header("authorization", "x");
        case.ask(ask.header("x-forwarded-for", "192.0.2.1").by(Http1));
    }
}
