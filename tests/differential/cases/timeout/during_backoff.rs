//! The time runs out between two attempts.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        let retry = retry("5xx", 1).backoff(Duration::from_secs(3600), Duration::from_secs(3600));
        route.timeout(ms(200)).retry(retry)
    });
    case.ask(get("/").script("a", [Behaviour::status(503)]));
    case.ask(get("/a/b").grpc().script("a", [Behaviour::status(503)]));
}
