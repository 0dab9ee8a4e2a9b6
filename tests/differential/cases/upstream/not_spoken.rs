//! A service of HTTP/2 that is asked in HTTP/1.1.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server2("a");
    let one = case.cluster("one", &[a]);
    case.routes([to(&one).timeout(ms(2000))]);
    case.gets(&["/"]);
}
