//! Where a route sends the requests that it takes.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::ClusterRef;
use crate::{
    config::MatchRules,
    entropy::mix,
    policy::{head::RequestHead, matcher::header::integer, weighted::WeightedChoice},
};

/// Where a route sends, with every cluster and scope by its place in the table.
#[derive(Debug)]
pub(crate) enum Target {
    /// To one cluster.
    Single { cluster: u32, scope: u32 },
    /// To one of several.
    Weighted(Arc<Weighted>),
    /// To the one that a header names; with the scope.
    Header(Arc<(HeaderName, u32)>),
    /// Nowhere.
    Refuse { scope: u32 },
}

/// Several clusters with their shares.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Weighted {
    pub(crate) choice: WeightedChoice,
    /// Cluster and scope of each share.
    pub(super) places: Box<[(u32, u32)]>,
    /// The scope if there is nothing to choose from.
    pub(super) scope: u32,
    /// The header whose number replaces the draw.
    pub(super) header: Option<HeaderName>,
}

/// Keeps the weighted choice apart from the other uses of a request's number.
const WEIGHTED: u64 = 0x7765_6967_6874_6564;

impl Target {
    /// The cluster of a request, `None` when there is none, and the scope of its filters.
    #[inline]
    pub(crate) fn choose<'t>(
        &'t self,
        head: &RequestHead<'t>,
        draw: u64,
        rules: MatchRules,
    ) -> (Option<ClusterRef<'t>>, usize) {
        match self {
            Self::Single { cluster, scope } => place(*cluster, *scope),
            Self::Weighted(weighted) => weighted.choose(weighted.draw(head.headers, draw, rules)),
            Self::Header(by) => {
                let (name, scope) = &**by;
                let named = head.headers.get(name).map(http::HeaderValue::as_bytes);
                let named = named.and_then(|name| str::from_utf8(name).ok());
                (
                    Some(ClusterRef::ByName(named.unwrap_or(""))),
                    *scope as usize,
                )
            }
            Self::Refuse { scope } => (None, *scope as usize),
        }
    }
}

impl Weighted {
    /// The number by which the cluster is chosen: the header's if it has one line and that is a
    /// number (Envoy's `header_name`), else the request's. gRPC draws apart from the route's
    /// fraction; Envoy uses one number for both.
    #[inline]
    pub(crate) fn draw(&self, headers: &HeaderMap, draw: u64, rules: MatchRules) -> u64 {
        self.header
            .as_ref()
            .and_then(|name| single(headers, name))
            .unwrap_or(if rules.draw_per_route {
                mix(draw ^ WEIGHTED)
            } else {
                draw
            })
    }

    fn choose(&self, draw: u64) -> (Option<ClusterRef<'_>>, usize) {
        match self.choice.pick(draw).and_then(|at| self.places.get(at)) {
            Some((cluster, scope)) => place(*cluster, *scope),
            // Decoding refuses weights that sum up to nothing; a cluster without a name is never
            // found, so such a route fails its requests.
            None => (Some(ClusterRef::ByName("")), self.scope as usize),
        }
    }
}

const fn place<'t>(cluster: u32, scope: u32) -> (Option<ClusterRef<'t>>, usize) {
    (Some(ClusterRef::Index(cluster as usize)), scope as usize)
}

/// The number in the only line of a header.
fn single(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => integer(line.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Dialect, entropy::Entropy};

    const ENVOY: MatchRules = MatchRules::of(Dialect::Envoy);
    const GRPC: MatchRules = MatchRules::of(Dialect::Grpc);

    /// Clusters 0 to 2 with shares of 90, 0 and 10.
    fn weighted() -> Target {
        Target::Weighted(Arc::new(Weighted {
            choice: WeightedChoice::new([90, 0, 10]),
            places: Box::new([(0, 1), (1, 2), (2, 3)]),
            scope: 0,
            header: Some(HeaderName::from_static("x-pick")),
        }))
    }

    /// The cluster and the scope of a request with these lines of `x-pick`.
    fn pick(target: &Target, lines: &[&[u8]], draw: u64, rules: MatchRules) -> (usize, usize) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-pick", http::HeaderValue::from_bytes(line).unwrap());
        }
        let uri = http::Uri::from_static("http://h/");
        let head = RequestHead::new(&http::Method::GET, &uri, &headers);
        match target.choose(&head, draw, rules) {
            (Some(ClusterRef::Index(cluster)), scope) => (cluster, scope),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_number_in_the_header_replaces_the_draw() {
        let target = weighted();
        for rules in [ENVOY, GRPC] {
            for (line, cluster) in [
                (&b"0"[..], 0),
                (b"89", 0),
                (b"90", 2),
                (b"124", 0),
                (b"199", 2),
                (b" 95", 2),
                (b"18446744073709551615", 0),
            ] {
                for draw in [0, 95] {
                    assert_eq!(pick(&target, &[line], draw, rules).0, cluster, "{line:?}");
                }
            }
        }
    }

    #[test]
    fn a_header_that_is_no_single_number_leaves_the_draw() {
        let target = weighted();
        let no_numbers: [&[&[u8]]; 7] = [
            &[],
            &[b""],
            &[b"-1"],
            &[b"1.5"],
            &[b"\xff"],
            &[b"18446744073709551616"],
            &[b"0", b"0"],
        ];
        for lines in no_numbers {
            assert_eq!(pick(&target, lines, 95, ENVOY), (2, 3), "{lines:?}");
            assert_eq!(pick(&target, lines, 7, ENVOY), (0, 1), "{lines:?}");
        }
    }

    #[test]
    fn shares_are_kept_and_nothing_is_never_chosen() {
        let target = weighted();
        for rules in [ENVOY, GRPC] {
            let entropy = Entropy::seeded(5);
            let mut counts = [0_u32; 3];
            for _ in 0..10_000 {
                counts[pick(&target, &[], entropy.draw(), rules).0] += 1;
            }
            assert!((8_800..9_200).contains(&counts[0]), "{counts:?}");
            assert_eq!((counts[1], counts[0] + counts[2]), (0, 10_000));
        }
    }

    #[test]
    fn grpc_chooses_apart_from_the_fraction_and_envoy_with_it() {
        let target = weighted();
        let low = |rules| (0..90).all(|draw| pick(&target, &[], draw, rules).0 == 0);
        assert!(low(ENVOY));
        assert!(!low(GRPC));
    }

    #[test]
    fn a_header_names_the_cluster_by_its_first_line() {
        let target = Target::Header(Arc::new((HeaderName::from_static("x-to"), 4)));
        let choose = |lines: &[&[u8]]| -> String {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-to", http::HeaderValue::from_bytes(line).unwrap());
            }
            let uri = http::Uri::from_static("http://h/");
            let head = RequestHead::new(&http::Method::GET, &uri, &headers);
            match target.choose(&head, 0, ENVOY) {
                (Some(ClusterRef::ByName(name)), 4) => name.to_owned(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(choose(&[b"a", b"b"]), "a");
        assert_eq!(choose(&[]), "");
        assert_eq!(choose(&[b""]), "");
        assert_eq!(choose(&[b"\xff"]), "");
    }

    #[test]
    fn weights_that_sum_up_to_nothing_lead_nowhere() {
        let target = Target::Weighted(Arc::new(Weighted {
            choice: WeightedChoice::new([0]),
            places: Box::new([(0, 1)]),
            scope: 2,
            header: None,
        }));
        let headers = HeaderMap::new();
        let uri = http::Uri::from_static("http://h/");
        let head = RequestHead::new(&http::Method::GET, &uri, &headers);
        let chosen = target.choose(&head, 3, ENVOY);
        assert_eq!(chosen, (Some(ClusterRef::ByName("")), 2));
    }
}
