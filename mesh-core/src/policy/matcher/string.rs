//! Conditions on a text.

use crate::config::{StringMatch, StringMatchKind};

/// Whether `text` satisfies `condition`.
///
/// Texts are compared as bytes, as in Envoy: what comes from the network need not be UTF-8. A regex
/// matches UTF-8 only.
#[must_use]
#[inline]
pub fn matches(condition: &StringMatch, text: &[u8]) -> bool {
    let fold = condition.ignore_case;
    match &condition.kind {
        StringMatchKind::Exact(want) => same(text, want.as_bytes(), fold),
        StringMatchKind::Prefix(want) => text
            .get(..want.len())
            .is_some_and(|start| same(start, want.as_bytes(), fold)),
        StringMatchKind::Suffix(want) => text
            .len()
            .checked_sub(want.len())
            .is_some_and(|at| same(&text[at..], want.as_bytes(), fold)),
        StringMatchKind::Contains(want) => {
            want.is_empty()
                || text
                    .windows(want.len())
                    .any(|part| same(part, want.as_bytes(), fold))
        }
        StringMatchKind::Regex(pattern) => pattern.is_match(text),
    }
}

/// Equality, of ASCII letters without their case if `fold`.
pub(super) fn same(a: &[u8], b: &[u8], fold: bool) -> bool {
    if fold {
        a.eq_ignore_ascii_case(b)
    } else {
        a == b
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pattern;

    fn check(kind: StringMatchKind, ignore_case: bool, text: &[u8]) -> bool {
        matches(&StringMatch { kind, ignore_case }, text)
    }

    #[test]
    fn each_kind_compares_as_it_says() {
        use StringMatchKind::{Contains, Exact, Prefix, Regex, Suffix};
        let regex = |source| Regex(Pattern::new(source).unwrap());
        let table: Vec<(StringMatchKind, bool, &str, bool)> = vec![
            (Exact("abc".into()), false, "abc", true),
            (Exact("abc".into()), false, "Abc", false),
            (Exact("aBc".into()), true, "AbC", true),
            (Exact("abc".into()), true, "abcd", false),
            (Exact("".into()), false, "", true),
            (Prefix("ab".into()), false, "abc", true),
            (Prefix("ab".into()), false, "a", false),
            (Prefix("Ab".into()), true, "aBc", true),
            (Prefix("Ab".into()), false, "abc", false),
            (Suffix("bc".into()), false, "abc", true),
            (Suffix("bc".into()), false, "c", false),
            (Suffix("BC".into()), true, "abc", true),
            (Suffix("BC".into()), false, "abc", false),
            (Contains("b".into()), false, "abc", true),
            (Contains("bd".into()), false, "abcd", false),
            (Contains("BC".into()), true, "abcd", true),
            (Contains("BC".into()), false, "abcd", false),
            (Contains("".into()), false, "", true),
            (Contains("abc".into()), false, "ab", false),
            (regex("a.c"), false, "abc", true),
            (regex("a.c"), false, "abcd", false),
            (regex("a.c"), true, "ABC", false),
        ];
        for (kind, fold, text, expected) in table {
            assert_eq!(
                check(kind.clone(), fold, text.as_bytes()),
                expected,
                "{kind:?} ignore_case={fold} on {text:?}"
            );
        }
    }

    #[test]
    fn text_that_is_not_utf8_is_compared_as_bytes() {
        let text = b"ab\xff\xc3";
        assert!(check(StringMatchKind::Prefix("ab".into()), false, text));
        assert!(check(StringMatchKind::Contains("b".into()), true, text));
        assert!(!check(StringMatchKind::Exact("ab".into()), false, text));
        assert!(!check(StringMatchKind::Suffix("b".into()), false, text));
        let all = StringMatchKind::Regex(Pattern::new("(?s).*").unwrap());
        assert!(check(all, false, text));
    }

    #[test]
    fn only_ascii_letters_are_folded() {
        let exact = |text: &str| StringMatchKind::Exact(text.into());
        assert!(!check(exact("é"), true, "É".as_bytes()));
        assert!(check(exact("xÉ"), true, "XÉ".as_bytes()));
    }
}
