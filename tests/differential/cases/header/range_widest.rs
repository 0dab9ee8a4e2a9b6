//! The widest range.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").range(i64::MIN, i64::MAX)));
    case.with(
        "x-a",
        &[
            "9223372036854775807",
            "9223372036854775806",
            "-9223372036854775808",
            "9223372036854775808",
        ],
    );
}
