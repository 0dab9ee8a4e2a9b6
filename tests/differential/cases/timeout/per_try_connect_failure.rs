//! Whether `connect-failure` answers to an attempt that does not come in time.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route.retry(
            retry("connect-failure", 1)
                .per_try_timeout(ms(120))
                .backoff(ms(1), ms(2)),
        )
    });
    case.ask(get("/").script("a", [Behaviour::delay(ms(500))]));
    case.ask(get("/a/b").grpc().script("a", [Behaviour::delay(ms(500))]));
}
