//! The whole exchange takes too long.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.max_stream_duration(ms(150)));
    case.ask(get("/").script("a", [Behaviour::delay(ms(600))]));
    case.ask(get("/a/b").grpc().script("a", [Behaviour::delay(ms(600))]));
    case.ask(get("/"));
}
