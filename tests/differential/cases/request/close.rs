//! Who wants its connection to end is told that it does.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    let missing = case.full("missing");
    case.host(&["missing.test"], [to(&missing)]);
    case.ask(get("/").header("connection", "close").by(Http1));
    case.ask(
        get("/")
            .header("connection", "close")
            .at("missing.test")
            .by(Http1),
    );
}
