//! Single routes and their retry policies.

use std::time::Duration;

use mesh_proto::Any;
use mesh_proto::TypeUrl;
use mesh_proto::envoy::config::core::v3::data_source::Specifier;
use mesh_proto::envoy::config::core::v3::{DataSource, RuntimeFractionalPercent};
use mesh_proto::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use mesh_proto::envoy::config::route::v3::query_parameter_matcher::QueryParameterMatchSpecifier;
use mesh_proto::envoy::config::route::v3::retry_policy::RetryBackOff;
use mesh_proto::envoy::config::route::v3::route::Action;
use mesh_proto::envoy::config::route::v3::route_action::hash_policy::{Header, PolicySpecifier};
use mesh_proto::envoy::config::route::v3::route_action::{
    ClusterSpecifier, HashPolicy, HostRewriteSpecifier, MaxStreamDuration,
};
use mesh_proto::envoy::config::route::v3::route_match::PathSpecifier;
use mesh_proto::envoy::config::route::v3::weighted_cluster::ClusterWeight;
use mesh_proto::envoy::config::route::v3::{
    DirectResponseAction, HeaderMatcher, QueryParameterMatcher, RetryPolicy, Route, RouteAction,
    RouteMatch, WeightedCluster,
};
use mesh_proto::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use mesh_proto::envoy::r#type::matcher::v3::{RegexMatcher, StringMatcher};

use super::{FaultBuilder, builder, duration, percent};

/// A route of every path to one cluster.
#[must_use]
pub fn to(cluster: &str) -> RouteBuilder {
    RouteBuilder::to(ClusterSpecifier::Cluster(cluster.to_owned()))
}

/// A route of every path to clusters by weight.
#[must_use]
pub fn split(clusters: &[(&str, u32)]) -> RouteBuilder {
    let weighted = clusters.iter().map(|(name, weight)| ClusterWeight {
        name: (*name).to_owned(),
        weight: Some(*weight),
        ..ClusterWeight::default()
    });
    RouteBuilder::to(ClusterSpecifier::WeightedClusters(WeightedCluster {
        clusters: weighted.collect(),
        ..WeightedCluster::default()
    }))
}

/// A route of every path to a response of the mesh itself.
#[must_use]
pub fn direct(status: u16, body: &str) -> RouteBuilder {
    let body = Specifier::InlineString(body.to_owned());
    RouteBuilder::with(Action::DirectResponse(DirectResponseAction {
        status: status.into(),
        body: Some(DataSource {
            specifier: Some(body),
            ..DataSource::default()
        }),
        ..DirectResponseAction::default()
    }))
}

/// Builds a route. Of the path matches the last one set counts; all other matches must hold.
#[derive(Clone, Debug)]
pub struct RouteBuilder {
    route: Route,
}

builder!(RouteBuilder { route: Route });

impl RouteBuilder {
    fn to(cluster: ClusterSpecifier) -> Self {
        Self::with(Action::Route(RouteAction {
            cluster_specifier: Some(cluster),
            ..RouteAction::default()
        }))
    }

    fn with(action: Action) -> Self {
        let everything = RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
            ..RouteMatch::default()
        };
        Self {
            route: Route {
                r#match: Some(everything),
                action: Some(action),
                ..Route::default()
            },
        }
    }

    /// Names the route.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.edit(|route| route.name = name.to_owned())
    }

    /// Matches paths that begin with this.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        self.path_match(PathSpecifier::Prefix(prefix.to_owned()))
    }

    /// Matches this path.
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        self.path_match(PathSpecifier::Path(path.to_owned()))
    }

    /// Matches this path and those below it.
    #[must_use]
    pub fn path_prefix(self, path: &str) -> Self {
        self.path_match(PathSpecifier::PathSeparatedPrefix(path.to_owned()))
    }

    /// Matches paths by a regular expression.
    #[must_use]
    pub fn regex(self, regex: &str) -> Self {
        self.path_match(PathSpecifier::SafeRegex(regex_matcher(regex)))
    }

    /// Ignores case in prefixes and paths.
    #[must_use]
    pub fn ignore_case(self) -> Self {
        self.edit_match(|of| of.case_sensitive = Some(false))
    }

    /// Matches a header's exact value.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        let exact = string_matcher(MatchPattern::Exact(value.to_owned()));
        self.header_match(name, HeaderMatchSpecifier::StringMatch(exact))
    }

    /// Matches a header in any way.
    #[must_use]
    pub fn header_match(self, name: &str, how: HeaderMatchSpecifier) -> Self {
        self.edit_match(|of| {
            of.headers.push(HeaderMatcher {
                name: name.to_owned(),
                header_match_specifier: Some(how),
                ..HeaderMatcher::default()
            });
        })
    }

    /// Matches a query parameter's exact value.
    #[must_use]
    pub fn query(self, name: &str, value: &str) -> Self {
        let exact = string_matcher(MatchPattern::Exact(value.to_owned()));
        self.edit_match(|of| {
            of.query_parameters.push(QueryParameterMatcher {
                name: name.to_owned(),
                query_parameter_match_specifier: Some(QueryParameterMatchSpecifier::StringMatch(
                    exact,
                )),
            });
        })
    }

    /// Matches this share of requests, in percent.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        self.edit_match(|of| {
            of.runtime_fraction = Some(RuntimeFractionalPercent {
                default_value: percent(share),
                ..RuntimeFractionalPercent::default()
            });
        })
    }

    /// The route timeout; zero is none.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.edit_action(|action| action.timeout = duration(timeout))
    }

    /// Bounds how long nothing may happen to a request; zero is for ever.
    #[must_use]
    pub fn idle_timeout(self, limit: Duration) -> Self {
        self.edit_action(|action| action.idle_timeout = duration(limit))
    }

    /// Bounds the whole stream.
    #[must_use]
    pub fn max_stream_duration(self, limit: Duration) -> Self {
        self.edit_action(|action| {
            let limits = action.max_stream_duration.get_or_insert_default();
            limits.max_stream_duration = duration(limit);
        })
    }

    /// Honours `grpc-timeout` up to this; zero: as it is.
    #[must_use]
    pub fn grpc_timeout_max(self, limit: Duration) -> Self {
        self.edit_action(|action| {
            let limits: &mut MaxStreamDuration = action.max_stream_duration.get_or_insert_default();
            limits.grpc_timeout_header_max = duration(limit);
        })
    }

    /// Lets the route retry.
    #[must_use]
    pub fn retry(self, policy: RetryBuilder) -> Self {
        self.edit_action(|action| action.retry_policy = Some(policy.build()))
    }

    /// Puts this in place of the matched prefix.
    #[must_use]
    pub fn rewrite_prefix(self, prefix: &str) -> Self {
        self.edit_action(|action| action.prefix_rewrite = prefix.to_owned())
    }

    /// Sends this authority.
    #[must_use]
    pub fn rewrite_host(self, host: &str) -> Self {
        let literal = HostRewriteSpecifier::HostRewriteLiteral(host.to_owned());
        self.edit_action(|action| action.host_rewrite_specifier = Some(literal))
    }

    /// Hashes a header for consistent balancing.
    #[must_use]
    pub fn hash_header(self, name: &str) -> Self {
        self.edit_action(|action| {
            action.hash_policy.push(HashPolicy {
                policy_specifier: Some(PolicySpecifier::Header(Header {
                    header_name: name.to_owned(),
                    ..Header::default()
                })),
                ..HashPolicy::default()
            });
        })
    }

    /// Overrides the filter `name` on this route.
    #[must_use]
    pub fn filter<T: TypeUrl>(self, name: &str, config: &T) -> Self {
        let config = Any::pack(config);
        self.edit(|route| {
            route
                .typed_per_filter_config
                .insert(name.to_owned(), config);
        })
    }

    /// Overrides the filter `fault` on this route.
    #[must_use]
    pub fn fault(self, fault: FaultBuilder) -> Self {
        self.filter("fault", &fault.build())
    }

    /// Changes the action to clusters.
    ///
    /// # Panics
    /// If the route does not lead to clusters.
    #[must_use]
    pub fn edit_action(self, edit: impl FnOnce(&mut RouteAction)) -> Self {
        self.edit(|route| match &mut route.action {
            Some(Action::Route(action)) => edit(action),
            other => panic!("{other:?} leads to no cluster"),
        })
    }

    /// Changes the match.
    #[must_use]
    pub fn edit_match(self, edit: impl FnOnce(&mut RouteMatch)) -> Self {
        self.edit(|route| edit(route.r#match.get_or_insert_default()))
    }

    fn path_match(self, path: PathSpecifier) -> Self {
        self.edit_match(|of| of.path_specifier = Some(path))
    }
}

/// A policy that retries on these conditions, for example `"unavailable,cancelled"`.
#[must_use]
pub fn retry(on: &str, times: u32) -> RetryBuilder {
    RetryBuilder {
        policy: RetryPolicy {
            retry_on: on.to_owned(),
            num_retries: Some(times),
            ..RetryPolicy::default()
        },
    }
}

/// Builds a retry policy.
#[derive(Clone, Debug)]
pub struct RetryBuilder {
    policy: RetryPolicy,
}

builder!(RetryBuilder {
    policy: RetryPolicy
});

impl RetryBuilder {
    /// Bounds each attempt.
    #[must_use]
    pub fn per_try_timeout(self, timeout: Duration) -> Self {
        self.edit(|policy| policy.per_try_timeout = duration(timeout))
    }

    /// The back-off between attempts.
    #[must_use]
    pub fn backoff(self, base: Duration, max: Duration) -> Self {
        self.edit(|policy| {
            policy.retry_back_off = Some(RetryBackOff {
                base_interval: duration(base),
                max_interval: duration(max),
            });
        })
    }

    /// Statuses to retry, with `retriable-status-codes`.
    #[must_use]
    pub fn statuses(self, statuses: &[u16]) -> Self {
        let statuses = statuses.iter().copied().map(u32::from).collect();
        self.edit(|policy| policy.retriable_status_codes = statuses)
    }
}

fn regex_matcher(regex: &str) -> RegexMatcher {
    RegexMatcher {
        regex: regex.to_owned(),
        ..RegexMatcher::default()
    }
}

fn string_matcher(pattern: MatchPattern) -> StringMatcher {
    StringMatcher {
        match_pattern: Some(pattern),
        ..StringMatcher::default()
    }
}
