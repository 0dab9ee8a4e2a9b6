//! Authority and path as they came.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    case.at(&["a.test", "a.test:8080", "A.TEST", "127.0.0.1", "[::1]:80"]);
    case.gets(&["/a?b=c", "/a//b/../c", "/%41", "/?"]);
}
