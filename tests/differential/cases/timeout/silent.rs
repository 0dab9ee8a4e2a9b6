//! A service that takes the connection and says nothing.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let silent = case.silent();
    let (one, two) = (
        case.cluster("one", &[silent]),
        case.cluster2("two", &[silent]),
    );
    case.routes([
        to(&one).prefix("/1").timeout(ms(150)),
        to(&two).timeout(ms(150)),
    ]);
    case.gets(&["/1", "/2"]);
}
