//! A service that refuses a stream.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend2("a");
    case.routes([
        to(&a)
            .prefix("/asked")
            .retry(retry("refused-stream", 1).backoff(ms(1), ms(2))),
        to(&a),
    ]);
    for path in ["/", "/asked"] {
        for times in [1, 2, 10] {
            case.ask(get(path).script("a", vec![Behaviour::reset(Reason::REFUSED_STREAM); times]));
        }
    }
}
