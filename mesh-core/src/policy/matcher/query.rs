//! Conditions on query parameters.

use super::string;
use crate::config::{QueryMatch, QueryMatchKind};

/// Whether `query`, what stands behind the question mark if there is one, satisfies `condition`.
///
/// Only the first parameter of a name counts, and nothing is percent-decoded (Envoy's
/// `query_parameters`). A missing parameter satisfies no condition on its value.
#[must_use]
pub fn matches(condition: &QueryMatch, query: Option<&str>) -> bool {
    let value = query.and_then(|query| first(query, &condition.name));
    match &condition.kind {
        QueryMatchKind::Present(wanted) => value.is_some() == *wanted,
        QueryMatchKind::Text(text) => {
            value.is_some_and(|value| string::matches(text, value.as_bytes()))
        }
    }
}

/// The value of the first parameter `name`; empty when it has none.
fn first<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split('&').find_map(|parameter| {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (key == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{StringMatch, StringMatchKind};

    #[test]
    fn the_first_parameter_of_a_name_counts_as_written() {
        let exact = |value: &str| {
            QueryMatchKind::Text(StringMatch {
                kind: StringMatchKind::Exact(value.into()),
                ignore_case: false,
            })
        };
        let table = [
            ("p", QueryMatchKind::Present(true), Some("p"), true),
            ("p", QueryMatchKind::Present(true), Some("p="), true),
            ("p", QueryMatchKind::Present(true), Some("x=2&p=1"), true),
            ("p", QueryMatchKind::Present(true), Some("pp=1"), false),
            ("p", QueryMatchKind::Present(true), None, false),
            ("p", QueryMatchKind::Present(false), Some("q"), true),
            ("p", QueryMatchKind::Present(false), Some(""), true),
            ("p", QueryMatchKind::Present(false), None, true),
            ("p", QueryMatchKind::Present(false), Some("q&p"), false),
            ("k", exact("v"), Some("k=v&k=a"), true),
            ("k", exact("v"), Some("k=a&k=v"), false),
            ("k", exact("v"), Some("k=V"), false),
            ("k", exact("v"), Some("K=v"), false),
            ("k", exact("v=w"), Some("k=v=w"), true),
            ("k", exact("/"), Some("k=%2F"), false),
            ("k", exact("%2F"), Some("k=%2F"), true),
            ("k", exact(""), Some("k"), true),
            ("k", exact(""), Some("j"), false),
            ("k", exact(""), None, false),
        ];
        for (name, kind, query, expected) in table {
            let condition = QueryMatch {
                name: name.into(),
                kind,
            };
            assert_eq!(
                matches(&condition, query),
                expected,
                "{condition:?} on {query:?}"
            );
        }
    }
}
