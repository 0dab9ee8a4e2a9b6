//! How a number may be spelled.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").range(1, 100)));
    case.with(
        "x-a",
        &[
            "4",
            "04",
            "+4",
            "4 ",
            "4x",
            "1e1",
            "0x10",
            "4,5",
            "99999999999999999999",
            "+",
            "- 4",
        ],
    );
}
