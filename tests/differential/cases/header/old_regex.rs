//! The field `safe_regex_match`, which another has replaced.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let regex = RegexMatcher {
        regex: "[a-z]+".to_owned(),
        ..RegexMatcher::default()
    };
    case.hit_or_miss(|route| route.when(header("x-a").old(Old::SafeRegexMatch(regex))));
    case.with("x-a", &["abc", "1abc", "abc1", ""]);
}
