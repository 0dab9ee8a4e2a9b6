//! Long header lines.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    for length in [1000, 8000, 30_000] {
        let says = format!(
            "HTTP/1.1 200 OK\r\nx-a: {}\r\ncontent-length: 2\r\n\r\nhi",
            "b".repeat(length)
        );
        let raw = case.saying(&says);
        let raw = case.cluster(&format!("raw{length}"), &[raw]);
        case.host(&[&format!("h{length}.test")], [to(&raw)]);
    }
    case.at(&["h1000.test", "h8000.test", "h30000.test"]);
}
