//! What a stranger may not say is gone before routes are tried.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-envoy-retry-on").present(true)));
    case.with("x-envoy-retry-on", &["5xx"]);
}
