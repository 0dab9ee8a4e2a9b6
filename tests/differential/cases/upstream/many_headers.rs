//! Header lines up to the limit, and above it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    for count in [50, 90, 150] {
        let lines: String = (0..count)
            .map(|number| format!("x-{number}: y\r\n"))
            .collect();
        let says = format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\nhi");
        let raw = case.saying(&says);
        let raw = case.cluster(&format!("raw{count}"), &[raw]);
        case.host(&[&format!("h{count}.test")], [to(&raw)]);
    }
    case.at(&["h50.test", "h90.test", "h150.test"]);
}
