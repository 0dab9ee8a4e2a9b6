//! Two host lines are one with a comma.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test"]), ("both", &["a.test,b.test"])]);
    case.ask(raw(&["GET / HTTP/1.1", "host: a.test", "host: b.test"]));
    case.ask(raw(&["GET / HTTP/1.1", "host: a.test", "host: a.test"]));
}
