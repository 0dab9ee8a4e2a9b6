//! A request that names nobody.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    case.ask(raw(&["GET / HTTP/1.1"]));
    case.ask(raw(&["GET / HTTP/1.1", "host:"]));
    case.ask(raw(&["GET / HTTP/1.1", "host: "]));
}
