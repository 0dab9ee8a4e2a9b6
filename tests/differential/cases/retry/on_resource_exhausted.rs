//! What `resource-exhausted` answers to.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route.retry(retry("resource-exhausted", 1).backoff(ms(1), ms(2))));
    for code in ["0", "1", "4", "8", "13", "14", "2"] {
        let ended = Behaviour {
            body_size: Some(0),
            ..Behaviour::default()
        };
        let ended = ended.with_header("grpc-status", code);
        case.ask(get("/a/b").grpc().script("a", [ended]));
    }
    case.ask(get("/a/b").grpc().script("a", [Behaviour::status(503)]));
    case.ask(
        get("/a/b")
            .grpc()
            .script("a", [Behaviour::reset(Reason::CANCEL)]),
    );
}
