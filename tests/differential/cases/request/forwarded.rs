//! What was said of who asked before.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-for", "192.0.2.1, 198.51.100.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-host", "other.test"),
        ("x-forwarded-port", "81"),
        ("forwarded", "for=192.0.2.1"),
        ("via", "1.1 other"),
        ("x-real-ip", "192.0.2.1"),
    ] {
        case.ask(get("/").header(name, value));
    }
}
