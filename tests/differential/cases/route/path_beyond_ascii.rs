//! Only letters of ASCII have a case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.path("/%C3%84K").ignore_case());
    case.gets(&["/%C3%84K", "/%c3%84k", "/%C3%A4K"]);
}
