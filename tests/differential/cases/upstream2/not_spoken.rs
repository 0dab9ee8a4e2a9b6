//! A service of HTTP/1.1 that is asked in HTTP/2.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let one = case.cluster2("one", &[a]);
    case.routes([to(&one).timeout(ms(2000))]);
    case.gets(&["/"]);
}
