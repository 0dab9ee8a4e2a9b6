//! One of two does not listen: the other answers.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, nowhere) = (case.server("a"), case.nowhere());
    let both = case.cluster("both", &[a, nowhere]);
    case.routes([to(&both).retry(retry("connect-failure", 2).backoff(ms(1), ms(2)))]);
    for _ in 0..4 {
        case.gets(&["/"]);
    }
}
