//! Headers of an answer pass.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    let answer = Behaviour::default()
        .with_header("x-a", "1")
        .with_header("x-a", "2")
        .with_header("set-cookie", "a=b")
        .with_header("location", "http://shop.test/b")
        .with_header("server", "theirs")
        .with_header("x-envoy-upstream-service-time", "9");
    case.ask(get("/").script("a", [answer]));
}
