//! What a route asks of a request besides its path.

use crate::{
    config::{HeaderMatch, MatchRules, QueryMatch, RouteMatch},
    policy::{
        head::RequestHead,
        matcher::{fraction, grpc, header, query},
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

/// Whether all conditions of the route at place `ordinal` but the one on the path hold. The draw
/// comes last (gRFC A28).
///
/// # Errors
/// The first that does not hold.
pub(crate) fn check<'r>(
    route: &'r RouteMatch,
    ordinal: usize,
    head: &RequestHead<'_>,
    draw: u64,
    rules: MatchRules,
) -> Result<(), Failed<'r>> {
    if route.grpc && !rules.grpc_content_type && !grpc::is_grpc(head.headers) {
        return Err(Failed::Grpc);
    }
    let fails = |condition: &&HeaderMatch| !header::matches(condition, head, rules);
    if let Some(condition) = route.headers.iter().find(fails) {
        return Err(Failed::Header(condition));
    }
    if !route.query.is_empty() {
        let parameters = head.query();
        let fails = |condition: &&QueryMatch| !query::matches(condition, parameters);
        if let Some(condition) = route.query.iter().find(fails) {
            return Err(Failed::Query(condition));
        }
    }
    match route.fraction {
        Some(share) if !fraction::holds(share, draw, ordinal, rules) => Err(Failed::Fraction),
        _ => Ok(()),
    }
}

/// Whether the route has no conditions but the one on the path.
pub(super) const fn none(route: &RouteMatch) -> bool {
    !route.grpc && route.headers.is_empty() && route.query.is_empty() && route.fraction.is_none()
}
