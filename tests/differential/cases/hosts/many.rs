//! A thousand hosts.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.backend("a"), case.backend("b"));
    for number in 0..1000 {
        let to = to(if number % 2 == 0 { &a } else { &b });
        case.host(
            &[&format!("h{number}.test"), &format!("*.h{number}.test")],
            [to],
        );
    }
    case.at(&[
        "h0.test",
        "h1.test",
        "x.h998.test",
        "x.h999.test",
        "h1000.test",
    ]);
}
