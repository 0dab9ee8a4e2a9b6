//! The order of the layers. No other file knows it.

use std::sync::Arc;

use crate::{
    balance::Balance,
    deadline::Deadline,
    filter::Filter,
    mesh::TargetCell,
    retry::Retry,
    route::Route,
    timeout::{AttemptTimeout, RouteTimeout},
};

/// The way of a request out of the program.
pub(crate) type Outbound = Route<Deadline<Filter<RouteTimeout<Retry<AttemptTimeout<Balance>>>>>>;

/// Builds the stack of a target, innermost layer first.
pub(crate) fn outbound(target: Arc<TargetCell>) -> Outbound {
    // Picks an endpoint and sends over its pool; counts what is under way.
    let stack = Balance::new(&target);
    // Bounds one attempt: `per_try_timeout`.
    let stack = AttemptTimeout::new(stack);
    // Sends again what policy says, and what never left. Below the filters: a fault is injected
    // once per request, not once per attempt (gRFC A33).
    let stack = Retry::new(stack);
    // Bounds all attempts and the waits between them, from the end of the request.
    let stack = RouteTimeout::new(stack);
    // Runs the listener's filters, with the overrides that the route gives.
    let stack = Filter::new(Arc::clone(&target), stack);
    // Bounds everything since arrival: filters, queueing, connecting, attempts, the response body.
    let stack = Deadline::new(stack);
    // Reads the policy, once: virtual host, route, cluster. What is below sees a `Routed`.
    Route::new(target, stack)
}
