//! Route configurations: virtual hosts, routes, and what a route does with a request.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{HeaderName, StatusCode};
use serde::Serialize;

use super::{Dialect, FilterOverrides, MatchRules, RetryPolicy, RouteMatch, matcher::as_text};
use crate::name::{ClusterName, RouteConfigName};

/// A RouteConfiguration: by which virtual host and which route a request goes where.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RouteConfig {
    /// The resource's name; for an inline configuration the listener's.
    pub name: RouteConfigName,
    /// Chosen by the best matching domain of them all, not by their order.
    pub virtual_hosts: Vec<VirtualHost>,
    /// Cuts the port off the request's authority before domains are compared.
    pub ignore_port: bool,
    /// What the dialects read differently.
    pub rules: MatchRules,
}

impl RouteConfig {
    /// Sends every request to one cluster, by a dialect's rules.
    #[must_use]
    pub fn to_cluster(cluster: ClusterName, dialect: Dialect) -> Self {
        let route = Route {
            name: "".into(),
            matches: RouteMatch::prefix(""),
            action: RouteAction::Forward(Arc::new(Forward::to(ClusterChoice::Single(cluster)))),
            filter_overrides: FilterOverrides::default(),
        };
        let host = VirtualHost {
            name: "".into(),
            domains: vec![DomainPattern::Any],
            routes: vec![Arc::new(route)],
            retry: None,
            filter_overrides: FilterOverrides::default(),
        };
        Self {
            name: "".into(),
            virtual_hosts: vec![host],
            ignore_port: false,
            rules: MatchRules::of(dialect),
        }
    }
}

/// A group of routes for some domains.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VirtualHost {
    /// For people and logs.
    pub name: Arc<str>,
    /// The authorities it serves.
    pub domains: Vec<DomainPattern>,
    /// The first that matches is taken. Shared by what was decoded and what is compiled of it.
    pub routes: Vec<Arc<Route>>,
    /// For routes without a policy of their own.
    pub retry: Option<Arc<RetryPolicy>>,
    /// The least specific scope of overrides.
    pub filter_overrides: FilterOverrides,
}

/// Authorities, in lower case. Of several that fit, exact wins over suffix, suffix over prefix,
/// prefix over any; within a kind the longer one (Envoy, gRFC A27).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum DomainPattern {
    /// `foo.example:80`.
    Exact(Box<str>),
    /// `*.example`: at least one character, then this.
    Suffix(Box<str>),
    /// `foo.*`: this, then at least one character.
    Prefix(Box<str>),
    /// `*`.
    Any,
}

impl From<&str> for DomainPattern {
    /// Reads a domain as Envoy writes it. A star in the middle is no wildcard but a character.
    fn from(domain: &str) -> Self {
        let lower = domain.to_ascii_lowercase();
        match lower.as_bytes() {
            [b'*'] => Self::Any,
            [b'*', ..] => Self::Suffix(lower[1..].into()),
            [.., b'*'] => Self::Prefix(lower[..lower.len() - 1].into()),
            _ => Self::Exact(lower.into()),
        }
    }
}

/// One route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Route {
    /// For people and logs; may be empty.
    pub name: Arc<str>,
    /// Which requests it takes.
    pub matches: RouteMatch,
    /// What it does with them.
    pub action: RouteAction,
    /// More specific than the virtual host's.
    pub filter_overrides: FilterOverrides,
}

/// What a route does with the requests it takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum RouteAction {
    /// Sends them to a cluster. Shared by all routes that do the same.
    Forward(Arc<Forward>),
    /// Refuses them: the route is there and takes its requests, but what it asks for cannot be done
    /// by a client (gRFC A28: any action but `route` fails the call). The text says what it was.
    Refuse(Arc<str>),
}

/// How requests are sent to a cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forward {
    /// Which cluster.
    pub cluster: ClusterChoice,
    /// How long an answer may take from the end of the request, over all attempts (Envoy's route
    /// `timeout`). `None`: no limit. Dialect grpc ignores the field and has none.
    pub timeout: Option<Duration>,
    /// How long nothing may happen to a request, where the route says so (Envoy's route
    /// `idle_timeout`); zero is for ever. `None`: as its listener says.
    pub idle_timeout: Option<Duration>,
    /// How long the whole exchange may take from the arrival of the request.
    pub stream: StreamTimeouts,
    /// The route's own policy, which hides the virtual host's whole, even if it retries nothing
    /// (gRFC A44; Envoy). `None`: the virtual host's.
    pub retry: Option<Arc<RetryPolicy>>,
    /// The answer when the cluster does not exist. Default 503.
    #[serde(serialize_with = "as_number")]
    pub cluster_not_found: StatusCode,
}

impl Forward {
    /// Sends to `cluster`, without limits and retries.
    #[must_use]
    pub const fn to(cluster: ClusterChoice) -> Self {
        Self {
            cluster,
            timeout: None,
            idle_timeout: None,
            stream: StreamTimeouts::NONE,
            retry: None,
            cluster_not_found: StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Actions that were edited: routes that shared one before share it after.
#[derive(Debug, Default)]
pub struct EditedForwards(HashMap<*const Forward, [Arc<Forward>; 2]>);

impl EditedForwards {
    /// Edits the action of a route; one that was edited before is what came of it then, so that all of
    /// them are to be edited in the same way.
    pub fn edit(&mut self, forward: &mut Arc<Forward>, edit: impl FnOnce(&mut Forward)) {
        // What was there before is kept, so that nothing else comes to lie at its place.
        let known = self.0.entry(Arc::as_ptr(forward)).or_insert_with(|| {
            let mut edited = Forward::clone(forward);
            edit(&mut edited);
            [Arc::clone(forward), Arc::new(edited)]
        });
        forward.clone_from(&known[1]);
    }
}

/// Limits on the whole exchange (gRFC A31; Envoy's `max_stream_duration`). Zero means no limit
/// everywhere, and hides the limits that would come after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StreamTimeouts {
    /// The route's, else the connection manager's `max_stream_duration`; merged at decoding.
    pub max_stream_duration: Option<Duration>,
    /// Cap on the `grpc-timeout` header; in dialect grpc it replaces the field above when set.
    pub grpc_timeout_max: Option<Duration>,
    /// Taken off the `grpc-timeout` header before it counts; dialect grpc ignores it.
    pub grpc_timeout_offset: Duration,
    /// When the header counts at all.
    pub grpc_timeout: GrpcTimeoutRule,
}

impl StreamTimeouts {
    /// No limits; `grpc-timeout` is obeyed.
    pub const NONE: Self = Self {
        max_stream_duration: None,
        grpc_timeout_max: None,
        grpc_timeout_offset: Duration::ZERO,
        grpc_timeout: GrpcTimeoutRule::Always,
    };
}

/// When the `grpc-timeout` header of a request is a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum GrpcTimeoutRule {
    /// Always: it is the application's own deadline (dialect grpc).
    Always,
    /// Only where a cap is configured, zero meaning any value (dialect envoy).
    WhenCapped,
}

/// Which cluster a route sends to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ClusterChoice {
    /// Always this one.
    Single(ClusterName),
    /// One of several, by weight.
    Weighted(WeightedClusters),
    /// The one that the first line of this request header names.
    Header(#[serde(serialize_with = "as_text")] HeaderName),
}

/// Clusters with their shares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightedClusters {
    /// Weights above zero whose sum fits 32 bits.
    pub clusters: Vec<WeightedCluster>,
    /// A request header whose number replaces the random draw, when it is one.
    #[serde(serialize_with = "as_optional_text")]
    pub header_name: Option<HeaderName>,
}

/// One of several clusters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightedCluster {
    /// The cluster.
    pub name: ClusterName,
    /// Its share of the sum.
    pub weight: u32,
    /// The most specific scope of overrides.
    pub filter_overrides: FilterOverrides,
}

fn as_number<S: serde::Serializer>(code: &StatusCode, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_u16(code.as_u16())
}

fn as_optional_text<S: serde::Serializer>(
    name: &Option<HeaderName>,
    s: S,
) -> Result<S::Ok, S::Error> {
    match name {
        Some(name) => s.serialize_some(name.as_str()),
        None => s.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_share_an_edited_action_as_they_did_before() {
        let forward = |name: &str| Arc::new(Forward::to(ClusterChoice::Single(name.into())));
        let (one, other) = (forward("a"), forward("a"));
        let mut routes = [&one, &other, &one].map(Arc::clone);
        let mut edited = EditedForwards::default();
        let timeout = Some(Duration::from_secs(1));
        for route in &mut routes {
            edited.edit(route, |forward| forward.timeout = timeout);
        }
        assert!(routes.iter().all(|route| route.timeout == timeout));
        assert!(Arc::ptr_eq(&routes[0], &routes[2]) && !Arc::ptr_eq(&routes[0], &routes[1]));
        assert_eq!(one.timeout, None);
    }

    #[test]
    fn domains_are_read_as_envoy_writes_them() {
        let read = |text: &str| DomainPattern::from(text);
        assert_eq!(read("*"), DomainPattern::Any);
        assert_eq!(
            read("*.Foo.test"),
            DomainPattern::Suffix(".foo.test".into())
        );
        assert_eq!(read("foo.*"), DomainPattern::Prefix("foo.".into()));
        assert_eq!(read("a.*.B"), DomainPattern::Exact("a.*.b".into()));
        assert_eq!(read(""), DomainPattern::Exact("".into()));
    }
}
