//! A listener limits what its routes do not.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    case.edit_listener(|listener| listener.max_stream_duration(ms(150)));
    case.routes([
        to(&a).prefix("/more").max_stream_duration(ms(5000)),
        to(&a).prefix("/off").max_stream_duration(ms(0)),
        to(&a),
    ]);
    for path in ["/", "/more", "/off"] {
        case.ask(get(path).script("a", [Behaviour::delay(ms(400))]));
    }
}
