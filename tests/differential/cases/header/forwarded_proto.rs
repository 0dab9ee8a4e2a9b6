//! What a proxy adds is there to be tested.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-forwarded-proto").exact("http")));
    case.with("x-forwarded-proto", &["https", "http"]);
}
