//! Which virtual host serves an authority (Envoy's virtual host selection; gRFC A27).

use std::collections::BTreeMap;

use super::trie::{Folded, FoldedBackwards, Trie};
use crate::config::{DomainPattern, RouteConfig};

/// The virtual hosts of a table by their domains.
#[derive(Debug)]
pub(super) struct Domains {
    /// Exact domains and prefix wildcards.
    forwards: Trie<Written>,
    /// Suffix wildcards, written from their end.
    backwards: Trie<Option<Place>>,
    any: Option<Place>,
    ignore_port: bool,
}

/// A domain by its place in the configuration. 32 bits are enough: a protobuf message ends at 2 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    host: u32,
    domain: u32,
}

impl Place {
    fn new(host: usize, domain: usize) -> Self {
        let short = |place| u32::try_from(place).unwrap_or(u32::MAX);
        Self {
            host: short(host),
            domain: short(domain),
        }
    }

    /// The virtual host.
    pub(crate) const fn host(self) -> usize {
        self.host as usize
    }

    /// The domain among those of the virtual host.
    pub(crate) const fn domain(self) -> usize {
        self.domain as usize
    }
}

/// The domains that are written with the same text.
#[derive(Clone, Debug, Default)]
struct Written {
    exact: Option<Place>,
    wildcard: Option<Place>,
}

impl Domains {
    /// Indexes the domains of `config`. Of two that are the same the first counts: gRPC, other than
    /// Envoy, does not refuse them.
    pub(super) fn new(config: &RouteConfig) -> Self {
        let mut forwards = BTreeMap::<Vec<u8>, Written>::new();
        let mut backwards = BTreeMap::new();
        let mut any = None;
        for (host, virtual_host) in config.virtual_hosts.iter().enumerate() {
            for (domain, pattern) in virtual_host.domains.iter().enumerate() {
                let place = Place::new(host, domain);
                let key = |text: &str| text.to_ascii_lowercase().into_bytes();
                match pattern {
                    DomainPattern::Exact(text) => {
                        let written = forwards.entry(key(text)).or_default();
                        written.exact.get_or_insert(place);
                    }
                    DomainPattern::Prefix(text) => {
                        let written = forwards.entry(key(text)).or_default();
                        written.wildcard.get_or_insert(place);
                    }
                    DomainPattern::Suffix(text) => {
                        let mut key = key(text);
                        key.reverse();
                        backwards.entry(key).or_insert(Some(place));
                    }
                    DomainPattern::Any => {
                        any.get_or_insert(place);
                    }
                }
            }
        }
        Self {
            forwards: Trie::new(forwards, |_, _| ()),
            backwards: Trie::new(backwards, |_, _| ()),
            any,
            ignore_port: config.ignore_port,
        }
    }

    /// The best domain for `authority`: exact, else the longest suffix, else the longest prefix,
    /// else any. A wildcard stands for at least one character. `domain` gives the domain at a place.
    #[inline]
    pub(super) fn find<'c>(
        &self,
        authority: &str,
        domain: impl Fn(Place) -> &'c DomainPattern,
    ) -> Option<Place> {
        let name = if self.ignore_port {
            without_port(authority)
        } else {
            authority
        };
        let fits = |place: &Place| serves(domain(*place), name);
        let mut prefix = None;
        for written in self.forwards.beginnings(Folded(name)) {
            // Most requests end here.
            if let Some(place) = written.exact
                && serves(domain(place), name)
            {
                return Some(place);
            }
            prefix = prefix.or_else(|| written.wildcard.filter(fits));
        }
        let suffix = self
            .backwards
            .beginnings(FoldedBackwards(name))
            .find_map(|place| place.filter(fits));
        suffix.or(prefix).or(self.any)
    }
}

/// Whether `domain` serves an authority of this name.
#[inline]
fn serves(domain: &DomainPattern, name: &str) -> bool {
    let name = name.as_bytes();
    match domain {
        DomainPattern::Exact(text) => same(name, text),
        DomainPattern::Prefix(text) => {
            name.len() > text.len() && name.get(..text.len()).is_some_and(|it| same(it, text))
        }
        DomainPattern::Suffix(text) => {
            let at = name.len().checked_sub(text.len());
            at.is_some_and(|at| at > 0 && same(&name[at..], text))
        }
        DomainPattern::Any => true,
    }
}

/// Equality without the case of ASCII letters. Mostly there is no other case, which is found out
/// sooner.
fn same(name: &[u8], text: &str) -> bool {
    name == text.as_bytes() || name.eq_ignore_ascii_case(text.as_bytes())
}

/// An authority without its port; an IPv6 address is known by its brackets.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Dialect, VirtualHost};

    /// One virtual host for each of `domains`.
    fn index(domains: &[&str], ignore_port: bool) -> impl Fn(&str) -> Option<usize> {
        let mut config = RouteConfig::to_cluster("c".into(), Dialect::Envoy);
        let host = config.virtual_hosts.remove(0);
        config.virtual_hosts = domains
            .iter()
            .map(|domain| VirtualHost {
                domains: vec![DomainPattern::from(*domain)],
                ..host.clone()
            })
            .collect();
        config.ignore_port = ignore_port;
        let index = Domains::new(&config);
        move |authority| {
            let domain = |place: Place| &config.virtual_hosts[place.host()].domains[place.domain()];
            index.find(authority, domain).map(Place::host)
        }
    }

    #[track_caller]
    fn check(domains: &[&str], table: &[(&str, Option<usize>)]) {
        let index = index(domains, false);
        for (authority, expected) in table {
            assert_eq!(index(authority), *expected, "{authority:?}");
        }
    }

    #[test]
    fn the_best_kind_wins_and_then_the_longest() {
        let domains = [
            "*",
            "foo.*",
            "foo.b*",
            "*.bar.com",
            "*-x.bar.com",
            "foo.bar.com",
        ];
        check(
            &domains,
            &[
                ("foo.bar.com", Some(5)),
                ("FOO.Bar.com", Some(5)),
                ("foo-x.bar.com", Some(4)),
                ("foo.a.bar.com", Some(3)),
                ("foo.baz", Some(2)),
                ("foo.x", Some(1)),
                ("other", Some(0)),
                ("", Some(0)),
                ("foo.bar.com:80", Some(2)),
            ],
        );
        check(
            &["a-very-long-prefix.*", "*.t"],
            &[("a-very-long-prefix.x.t", Some(1))],
        );
    }

    #[test]
    fn a_wildcard_stands_for_at_least_one_character() {
        check(
            &["*.w.test", "p.*"],
            &[
                ("w.test", None),
                (".w.test", None),
                ("a.w.test", Some(0)),
                ("a.b.W.test", Some(0)),
                ("p.", None),
                ("p.x", Some(1)),
                ("", None),
            ],
        );
    }

    #[test]
    fn of_equal_domains_the_first_counts() {
        check(
            &["a.test", "A.test", "*.b", "*.B", "c.*", "c.*", "*", "*"],
            &[
                ("a.test", Some(0)),
                ("x.b", Some(2)),
                ("c.x", Some(4)),
                ("z", Some(6)),
            ],
        );
    }

    #[test]
    fn a_star_in_the_middle_is_a_character() {
        check(&["a.*.b"], &[("a.x.b", None), ("a.*.b", Some(0))]);
    }

    #[test]
    fn ports_are_compared_unless_ignored() {
        let domains = ["a.test", "a.test:81", "[::1]", "*.w"];
        check(
            &domains,
            &[
                ("a.test:81", Some(1)),
                ("a.test:9999", None),
                ("[::1]:80", None),
            ],
        );
        let index = index(&domains, true);
        for (authority, expected) in [
            ("a.test:81", Some(0)),
            ("a.test:9999", Some(0)),
            ("a.test", Some(0)),
            ("[::1]", Some(2)),
            ("[::1]:80", Some(2)),
            ("x.w:80", Some(3)),
        ] {
            assert_eq!(index(authority), expected, "{authority:?}");
        }
    }

    #[test]
    fn long_names_and_bytes_outside_of_ascii_are_compared_whole() {
        let long = "x".repeat(4_000);
        check(
            &[&long, "*é.test"],
            &[
                (&long.to_uppercase(), Some(0)),
                (&long[1..], None),
                ("aé.test", Some(1)),
                ("aÉ.test", None),
            ],
        );
    }
}
