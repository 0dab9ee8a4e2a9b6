//! A header that everybody knows.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("user-agent").contains("curl")));
    case.with("user-agent", &["curl/8", "other"]);
}
