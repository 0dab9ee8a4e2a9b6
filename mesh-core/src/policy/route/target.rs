//! Where a route sends the requests that it takes.

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
    Single { cluster: usize, scope: usize },
    /// To one of several.
    Weighted(Box<Weighted>),
    /// To the one that a header names.
    Header { name: HeaderName, scope: usize },
    /// Nowhere.
    Refuse { scope: usize },
}

/// Several clusters with their shares.
#[derive(Debug)]
pub(crate) struct Weighted {
    pub(crate) choice: WeightedChoice,
    /// Cluster and scope of each share.
    pub(super) places: Box<[(usize, usize)]>,
    /// The scope if there is nothing to choose from.
    pub(super) scope: usize,
    /// The header whose number replaces the draw.
    pub(super) header: Option<HeaderName>,
}

/// Keeps the weighted choice apart from the other uses of a request's number.
const WEIGHTED: u64 = 0x7765_6967_6874_6564;

impl Target {
    /// The cluster of a request, `None` when there is none, and the scope of its filters.
    pub(crate) fn choose<'t>(
        &'t self,
        head: &RequestHead<'t>,
        draw: u64,
        rules: MatchRules,
    ) -> (Option<ClusterRef<'t>>, usize) {
        match self {
            Self::Single { cluster, scope } => (Some(ClusterRef::Index(*cluster)), *scope),
            Self::Weighted(weighted) => weighted.choose(weighted.draw(head.headers, draw, rules)),
            Self::Header { name, scope } => {
                let named = head.headers.get(name).map(http::HeaderValue::as_bytes);
                let named = named.and_then(|name| str::from_utf8(name).ok());
                (Some(ClusterRef::ByName(named.unwrap_or(""))), *scope)
            }
            Self::Refuse { scope } => (None, *scope),
        }
    }
}

impl Weighted {
    /// The number by which the cluster is chosen: the header's if it has one line and that is a
    /// number (Envoy's `header_name`), else the request's. gRPC draws apart from the route's
    /// fraction; Envoy uses one number for both.
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
            Some((cluster, scope)) => (Some(ClusterRef::Index(*cluster)), *scope),
            // Decoding refuses weights that sum up to nothing; a cluster without a name is never
            // found, so such a route fails its requests.
            None => (Some(ClusterRef::ByName("")), self.scope),
        }
    }
}

/// The number in the only line of a header.
fn single(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => integer(line.as_bytes()),
        _ => None,
    }
}
