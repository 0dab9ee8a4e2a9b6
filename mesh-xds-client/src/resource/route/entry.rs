//! One route: what it takes, and which of its actions can be done.

use mesh_core::config::{FilterOverrides, PathMatch, Route, RouteAction, RouteMatch};
use mesh_proto::envoy::config::{
    core::v3::RuntimeFractionalPercent,
    route::v3::{
        Route as Message, RouteMatch as MatchMessage, route::Action, route_match::PathSpecifier,
    },
};

use super::plugin::Plugins;
use crate::resource::{
    at::At,
    reader::{NO_EFFECT, Reader, kept},
    unsupported,
};

/// What a route has from its virtual host.
pub(super) struct HostScope<'a> {
    /// Why every route of the host must refuse its requests.
    pub(super) refusal: Option<&'a str>,
    pub(super) plugins: &'a Plugins<'a>,
}

impl Reader<'_> {
    /// A route; `None` if it is left out or wrong.
    pub(super) fn route(
        &mut self,
        at: &At<'_>,
        route: &Message,
        scope: &HostScope<'_>,
    ) -> Option<Route> {
        let Some(matches) = &route.r#match else {
            self.error(&at.field("match"), "is missing");
            return None;
        };
        if self.is_grpc() && !matches.query_parameters.is_empty() {
            // gRFC A28: such a route is as good as not there.
            let place = at.field("match");
            let place = place.field("query_parameters");
            self.warn(&place, "is not read in dialect grpc: the route is left out");
            return None;
        }
        let matches = self.route_match(&at.field("match"), matches);
        let unused = unsupported::route(route);
        let refusal = self.unused(at, &unused);
        let filter_overrides = self.filter_overrides(
            at,
            &route.typed_per_filter_config,
            &FilterOverrides::default(),
        );
        let action = self.action(at, route, scope)?;
        let refusal = scope.refusal.or(refusal.as_deref());
        Some(Route {
            name: kept(&route.name),
            matches: matches?,
            action: refusal.map_or(action, |reason| RouteAction::Refuse(reason.into())),
            filter_overrides,
        })
    }

    fn action(
        &mut self,
        at: &At<'_>,
        route: &Message,
        scope: &HostScope<'_>,
    ) -> Option<RouteAction> {
        let refused = match &route.action {
            Some(Action::Route(action)) => {
                return self.route_action(&at.field("route"), action, scope.plugins);
            }
            Some(Action::Redirect(_)) => "redirect",
            Some(Action::DirectResponse(response)) => {
                let place = at.field("direct_response");
                if !self.is_grpc() && !(100..600).contains(&response.status) {
                    let reason = format!("{} is not within 100 to 599", response.status);
                    self.error(&place.field("status"), reason);
                }
                "direct_response"
            }
            Some(Action::FilterAction(_)) => "filter_action",
            Some(Action::NonForwardingAction(_)) => "non_forwarding_action",
            None if self.is_grpc() => {
                return Some(RouteAction::Refuse("no action is given".into()));
            }
            None => {
                self.error(at, "has no action");
                return None;
            }
        };
        // gRFC A28: the route takes its requests and fails them.
        self.warn(
            &at.field(refused),
            "is not supported yet: requests are refused",
        );
        Some(RouteAction::Refuse(
            format!("{refused} is not supported yet").into(),
        ))
    }

    fn route_match(&mut self, at: &At<'_>, matches: &MatchMessage) -> Option<RouteMatch> {
        let path = self.path_match(at, matches.path_specifier.as_ref());
        let headers = self.header_matches(&at.field("headers"), &matches.headers);
        let query = self.query_matches(&at.field("query_parameters"), &matches.query_parameters);
        let fraction = match &matches.runtime_fraction {
            Some(fraction) => Some(self.route_fraction(&at.field("runtime_fraction"), fraction)?),
            None => None,
        };
        self.unknown_conditions(at, matches);
        Some(RouteMatch {
            path: path?,
            case_sensitive: matches.case_sensitive.unwrap_or(true),
            headers,
            query,
            grpc: matches.grpc.is_some() && !self.is_grpc(),
            fraction,
        })
    }

    /// Conditions that cannot be evaluated. Without them a route would take requests that are not
    /// its own, so dialect envoy refuses them; gRPC ignores them.
    fn unknown_conditions(&mut self, at: &At<'_>, matches: &MatchMessage) {
        let conditions = [
            ("tls_context", matches.tls_context.is_some()),
            ("dynamic_metadata", !matches.dynamic_metadata.is_empty()),
            ("filter_state", !matches.filter_state.is_empty()),
            ("cookies", !matches.cookies.is_empty()),
            ("grpc", matches.grpc.is_some() && self.is_grpc()),
        ];
        for (field, _) in conditions.into_iter().filter(|&(_, set)| set) {
            if self.is_grpc() {
                self.warn(&at.field(field), "is not read in dialect grpc");
            } else {
                self.error(&at.field(field), "is not supported yet");
            }
        }
    }

    fn path_match(&mut self, at: &At<'_>, path: Option<&PathSpecifier>) -> Option<PathMatch> {
        match path {
            Some(PathSpecifier::Prefix(prefix)) => Some(PathMatch::Prefix(prefix.as_str().into())),
            Some(PathSpecifier::Path(path)) => Some(PathMatch::Exact(path.as_str().into())),
            Some(PathSpecifier::SafeRegex(regex)) => self
                .pattern(&at.field("safe_regex"), regex)
                .map(PathMatch::Regex),
            Some(PathSpecifier::PathSeparatedPrefix(prefix)) if !self.is_grpc() => {
                self.path_separated_prefix(&at.field("path_separated_prefix"), prefix)
            }
            Some(PathSpecifier::PathSeparatedPrefix(_)) => {
                self.error(&at.field("path_separated_prefix"), "is not supported");
                None
            }
            Some(PathSpecifier::ConnectMatcher(_)) => {
                self.error(&at.field("connect_matcher"), "is not supported yet");
                None
            }
            Some(PathSpecifier::PathMatchPolicy(_)) => {
                self.error(&at.field("path_match_policy"), "is not supported yet");
                None
            }
            None => {
                self.error(at, "has no path_specifier");
                None
            }
        }
    }

    /// Envoy: `^[^?#]+[^?#/]$`.
    fn path_separated_prefix(&mut self, at: &At<'_>, prefix: &str) -> Option<PathMatch> {
        if prefix.chars().count() < 2 || prefix.ends_with('/') || prefix.contains(['?', '#']) {
            let reason = "needs two characters at least, must not end in / nor contain ? or #";
            self.error(at, reason);
            return None;
        }
        Some(PathMatch::PathSeparatedPrefix(prefix.into()))
    }

    fn route_fraction(
        &mut self,
        at: &At<'_>,
        fraction: &RuntimeFractionalPercent,
    ) -> Option<mesh_core::config::Fraction> {
        if !fraction.runtime_key.is_empty() {
            // There is no runtime layer: the default value is the value.
            let place = at.field("runtime_key");
            self.warn(&place, NO_EFFECT);
        }
        let place = at.field("default_value");
        match fraction.default_value {
            Some(percent) => self.fraction(&place, percent),
            None if self.is_grpc() => self.fraction(&place, Default::default()),
            None => {
                self.error(&place, "is missing");
                None
            }
        }
    }
}
