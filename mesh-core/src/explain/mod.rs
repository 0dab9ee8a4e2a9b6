//! Decisions with their reasons: what the request path decides, told step by step for people, tests
//! and tools.

mod route;
mod text;

pub use self::route::{ClusterReason, HostReason, RouteExplanation, RouteReason, route};
