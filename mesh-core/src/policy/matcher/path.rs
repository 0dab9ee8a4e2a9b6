//! Conditions on the path.

use super::string::same;
use crate::config::{PathMatch, RouteMatch};

/// Whether `path`, without its query, satisfies the path condition of `route`.
///
/// A request without a path (CONNECT) satisfies none, as in Envoy.
#[must_use]
pub fn matches(route: &RouteMatch, path: &str) -> bool {
    holds(&route.path, !route.case_sensitive, path)
}

/// Whether `path` satisfies `condition`, of ASCII letters without their case if `fold`.
#[inline]
pub(crate) fn holds(condition: &PathMatch, fold: bool, path: &str) -> bool {
    let begins = |want: &str| {
        path.as_bytes()
            .get(..want.len())
            .is_some_and(|start| same(start, want.as_bytes(), fold))
    };
    !path.is_empty()
        && match condition {
            PathMatch::Prefix(want) => begins(want),
            PathMatch::Exact(want) => path.len() == want.len() && begins(want),
            PathMatch::PathSeparatedPrefix(want) => {
                matches!(path.as_bytes().get(want.len()), None | Some(b'/')) && begins(want)
            }
            PathMatch::Regex(pattern) => pattern.is_match(path),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pattern;

    #[test]
    fn each_kind_compares_as_it_says() {
        use PathMatch::{Exact, PathSeparatedPrefix, Prefix, Regex};
        let regex = |source| Regex(Pattern::new(source).unwrap());
        // (condition, case sensitive, paths that match, paths that do not)
        let table: Vec<(PathMatch, bool, &[&str], &[&str])> = vec![
            (Prefix("".into()), true, &["/", "/a", "*"], &[""]),
            (Prefix("/".into()), true, &["/", "/a"], &["*", ""]),
            (
                Prefix("/py".into()),
                true,
                &["/py", "/pyabc", "/py/"],
                &["/p", "/PY"],
            ),
            (Prefix("/Py".into()), false, &["/pY/x"], &["/p"]),
            (Exact("/e".into()), true, &["/e"], &["/e/", "/", "/E"]),
            (Exact("/e".into()), false, &["/E"], &["/e/"]),
            (Exact("*".into()), true, &["*"], &["/*"]),
            (
                PathSeparatedPrefix("/a/b".into()),
                true,
                &["/a/b", "/a/b/", "/a/b/c"],
                &["/a/bc", "/a", "/A/b"],
            ),
            (
                PathSeparatedPrefix("/a".into()),
                false,
                &["/A", "/A/x"],
                &["/ab"],
            ),
            (regex("/a|/bc"), true, &["/a", "/bc"], &["/ab", "/a/"]),
            (regex("/a"), false, &["/a"], &["/A"]),
            (regex(".*"), true, &["/", "*"], &[""]),
            // A boundary inside a character of several bytes must not matter.
            (Prefix("/\u{e9}".into()), true, &["/\u{e9}x"], &["/\u{e8}"]),
            (Prefix("/ab".into()), true, &["/ab\u{e9}"], &["/a\u{e9}"]),
        ];
        for (path, case_sensitive, yes, no) in table {
            let route = RouteMatch {
                case_sensitive,
                ..RouteMatch::path(path)
            };
            for text in yes {
                assert!(matches(&route, text), "{route:?} on {text:?}");
            }
            for text in no {
                assert!(!matches(&route, text), "{route:?} on {text:?}");
            }
        }
    }
}
