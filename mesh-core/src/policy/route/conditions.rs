//! What a route asks of a request besides its path.

use std::cell::Cell;

use crate::{
    config::{HeaderMatch, MatchRules, QueryMatch, RouteMatch},
    policy::{
        head::RequestHead,
        matcher::{
            fraction, grpc, header,
            lookup::{Lookups, Names},
            query,
        },
    },
};

/// The first condition of a route that does not hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failed<'r> {
    Path,
    Grpc,
    Header(&'r HeaderMatch),
    Query(&'r QueryMatch),
    Fraction,
}

/// A request, as one route after another asks about it.
pub(crate) struct Asked<'t, 'h> {
    head: &'h RequestHead<'t>,
    lookups: Lookups<'t>,
    /// How many routes that need a header were tried.
    tried: Cell<u32>,
    names: Cell<Names>,
    draw: u64,
    rules: MatchRules,
}

/// As many routes are tried before all names of the request are looked at: until then the look at
/// them costs more than it saves.
const BARE: u32 = 1;

impl<'t, 'h> Asked<'t, 'h> {
    /// A request with the random number `draw`.
    pub(crate) const fn new(head: &'h RequestHead<'t>, draw: u64, rules: MatchRules) -> Self {
        Self {
            head,
            lookups: Lookups::new(head.headers),
            tried: Cell::new(0),
            names: Cell::new(Names::NONE),
            draw,
            rules,
        }
    }

    /// Its path.
    pub(super) const fn path(&self) -> &'t str {
        self.head.path()
    }

    /// Whether the request surely has not all of these headers.
    #[inline]
    pub(super) fn lacks(&self, needed: Names) -> bool {
        if needed.is_empty() {
            return false;
        }
        let tried = self.tried.get();
        self.tried.set(tried.saturating_add(1));
        if tried < BARE {
            return false;
        }
        if tried == BARE {
            self.names.set(Names::of(self.head.headers));
        }
        self.names.get().lacks(needed)
    }

    /// Whether all conditions of `route`, which stands at place `ordinal`, but the one on the path
    /// hold. The draw comes last (gRFC A28).
    ///
    /// # Errors
    /// The first that does not hold.
    #[inline]
    pub(crate) fn check(&self, route: &'t RouteMatch, ordinal: usize) -> Result<(), Failed<'t>> {
        let Self { head, rules, .. } = *self;
        if route.grpc && !rules.grpc_content_type && !grpc::is_grpc(head.headers) {
            return Err(Failed::Grpc);
        }
        for condition in &route.headers {
            if !header::holds(condition, head, &self.lookups, rules) {
                return Err(Failed::Header(condition));
            }
        }
        if !route.query.is_empty() {
            let parameters = head.query();
            let fails = |condition: &&QueryMatch| !query::matches(condition, parameters);
            if let Some(condition) = route.query.iter().find(fails) {
                return Err(Failed::Query(condition));
            }
        }
        match route.fraction {
            Some(share) if !fraction::holds(share, self.draw, ordinal, rules) => {
                Err(Failed::Fraction)
            }
            _ => Ok(()),
        }
    }
}

/// Whether the route has no conditions but the one on the path.
pub(super) const fn none(route: &RouteMatch) -> bool {
    !route.grpc && route.headers.is_empty() && route.query.is_empty() && route.fraction.is_none()
}

/// The headers without which a route takes no request.
pub(super) fn needed(route: &RouteMatch, rules: MatchRules) -> Names {
    let conditions = route.headers.iter();
    conditions
        .filter_map(|condition| header::needed(condition, rules))
        .collect()
}

/// Whether the conditions of two routes but those on the path are the same.
pub(super) fn same(one: &RouteMatch, other: &RouteMatch) -> bool {
    one.grpc == other.grpc
        && one.headers == other.headers
        && one.query == other.query
        && one.fraction == other.fraction
}
