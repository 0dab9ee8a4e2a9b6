//! A host's policy counts where its route has none.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    case.routes([
        to(&a).prefix("/own").retry(retry("retriable-4xx", 1)),
        to(&a),
    ]);
    case.edit_routes(|routes| routes.retry(retry("5xx", 1).backoff(ms(1), ms(2))));
    for path in ["/own", "/"] {
        for status in [503, 409] {
            case.ask(get(path).script("a", [Behaviour::status(status)]));
        }
    }
}
