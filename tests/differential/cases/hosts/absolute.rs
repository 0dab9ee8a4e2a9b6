//! The authority of an absolute target goes before the host line.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test"]), ("b", &["b.test"])]);
    case.ask(raw(&["GET http://b.test/x?y=z HTTP/1.1", "host: a.test"]));
    case.ask(raw(&["GET http://b.test HTTP/1.1", "host: a.test"]));
    case.ask(raw(&["GET HTTP://b.test/x HTTP/1.1", "host: a.test"]));
    case.ask(raw(&["GET https://b.test/x HTTP/1.1", "host: a.test"]));
}
