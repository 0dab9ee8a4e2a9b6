//! The action `route`: which cluster, and for how long.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, StatusCode};
use mesh_core::config::{ClusterChoice, Forward, GrpcTimeoutRule, RouteAction, StreamTimeouts};
use mesh_proto::envoy::config::route::v3::{
    RouteAction as Message,
    route_action::{
        ClusterNotFoundResponseCode as NotFound, ClusterSpecifier, HashPolicy, MaxStreamDuration,
        hash_policy::PolicySpecifier,
    },
};

use super::plugin::Plugins;
use crate::resource::{
    at::At,
    reader::{Reader, quoted},
    unsupported,
};

/// Which cluster a route sends to, if any.
pub(super) enum Choice {
    /// To this.
    Cluster(ClusterChoice),
    /// To one that we cannot find out: requests are refused with the reason.
    Refuse(String),
    /// The route counts as not there (gRFC A28).
    Skip,
}

/// Envoy's default for `timeout`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

impl Reader<'_> {
    /// A forwarding action; `None` if the route is left out or wrong.
    pub(super) fn route_action(
        &mut self,
        at: &At<'_>,
        action: &Message,
        plugins: &Plugins<'_>,
    ) -> Option<RouteAction> {
        let unused = unsupported::route_action(action);
        let refusal = self.unused(at, &unused);
        self.hash_policies(&at.field("hash_policy"), &action.hash_policy);
        let stream = self.stream_timeouts(at, action.max_stream_duration.as_ref());
        let timeout = self.route_timeout(at, action);
        let idle_timeout =
            self.optional_duration(&at.field("idle_timeout"), action.idle_timeout.as_ref());
        let retry = self.optional_retry(&at.field("retry_policy"), action.retry_policy.as_ref());
        let cluster_not_found = self.cluster_not_found(at, action);
        let cluster = match self.cluster_choice(at, action, plugins)? {
            Choice::Cluster(cluster) => cluster,
            Choice::Refuse(reason) => return Some(RouteAction::Refuse(reason.into())),
            Choice::Skip => return None,
        };
        if let Some(reason) = refusal {
            return Some(RouteAction::Refuse(reason.into()));
        }
        Some(RouteAction::Forward(self.shared(Forward {
            cluster,
            timeout,
            idle_timeout,
            stream: stream?,
            retry,
            cluster_not_found,
        })))
    }

    /// An action, which is that of a route before it if that says the same.
    fn shared(&mut self, forward: Forward) -> Arc<Forward> {
        let ClusterChoice::Single(cluster) = &forward.cluster else {
            return Arc::new(forward);
        };
        match self.last_forwards.get_mut(cluster) {
            Some(last) => {
                if **last != forward {
                    *last = Arc::new(forward);
                }
                Arc::clone(last)
            }
            None => {
                let cluster = cluster.clone();
                let forward = Arc::new(forward);
                self.last_forwards.insert(cluster, Arc::clone(&forward));
                forward
            }
        }
    }

    fn cluster_choice(
        &mut self,
        at: &At<'_>,
        action: &Message,
        plugins: &Plugins<'_>,
    ) -> Option<Choice> {
        match &action.cluster_specifier {
            Some(ClusterSpecifier::Cluster(name)) => {
                let name = self.filled(&at.field("cluster"), name)?;
                Some(Choice::Cluster(ClusterChoice::Single(name.into())))
            }
            Some(ClusterSpecifier::WeightedClusters(weighted)) => {
                self.weighted_clusters(&at.field("weighted_clusters"), weighted)
            }
            Some(ClusterSpecifier::ClusterHeader(name)) if !self.is_grpc() => {
                self.cluster_header(&at.field("cluster_header"), name)
            }
            Some(ClusterSpecifier::ClusterSpecifierPlugin(name)) => {
                let place = at.field("cluster_specifier_plugin");
                self.named_plugin(&place, name, plugins)
            }
            Some(ClusterSpecifier::InlineClusterSpecifierPlugin(_)) if !self.is_grpc() => {
                let place = at.field("inline_cluster_specifier_plugin");
                self.warn(&place, "is not supported yet: requests are refused");
                let reason = "inline_cluster_specifier_plugin is not supported yet";
                Some(Choice::Refuse(reason.to_owned()))
            }
            Some(ClusterSpecifier::ClusterHeader(_)) => {
                let place = at.field("cluster_header");
                self.warn(&place, "is not read in dialect grpc: the route is left out");
                Some(Choice::Skip)
            }
            None if !self.is_grpc() => {
                self.error(at, "has no cluster_specifier");
                None
            }
            Some(ClusterSpecifier::InlineClusterSpecifierPlugin(_)) | None => {
                self.warn(at, "has no known cluster_specifier: the route is left out");
                Some(Choice::Skip)
            }
        }
    }

    fn cluster_header(&mut self, at: &At<'_>, name: &str) -> Option<Choice> {
        if name.starts_with(':') {
            self.warn(
                at,
                "pseudo headers are not supported yet: requests are refused",
            );
            let reason = format!("cluster_header {} is not supported yet", quoted(name));
            return Some(Choice::Refuse(reason));
        }
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => Some(Choice::Cluster(ClusterChoice::Header(name))),
            Err(_) => {
                self.error(at, format!("{} is not a header name", quoted(name)));
                None
            }
        }
    }

    /// Envoy: 15 s unless given, zero for none, and nothing at all where `max_stream_duration` is
    /// set. gRPC has no such timeout (gRFC A31).
    fn route_timeout(&mut self, at: &At<'_>, action: &Message) -> Option<Duration> {
        let place = at.field("timeout");
        if self.is_grpc() {
            if action.timeout.is_some() {
                self.warn(&place, "is not read in dialect grpc");
            }
            return None;
        }
        let timeout = match &action.timeout {
            Some(timeout) => self.duration(&place, timeout)?,
            None => DEFAULT_TIMEOUT,
        };
        if action.max_stream_duration.is_some() {
            if action.timeout.is_some() && !timeout.is_zero() {
                self.warn(&place, "has no effect beside max_stream_duration");
            }
            return None;
        }
        (!timeout.is_zero()).then_some(timeout)
    }

    /// gRFC A31; Envoy, "MaxStreamDuration".
    fn stream_timeouts(
        &mut self,
        at: &At<'_>,
        limits: Option<&MaxStreamDuration>,
    ) -> Option<StreamTimeouts> {
        let none = StreamTimeouts {
            grpc_timeout: if self.is_grpc() {
                GrpcTimeoutRule::Always
            } else {
                GrpcTimeoutRule::WhenCapped
            },
            ..StreamTimeouts::NONE
        };
        let Some(limits) = limits else {
            return Some(none);
        };
        let at = at.field("max_stream_duration");
        let place = at.field("max_stream_duration");
        let max_stream_duration =
            self.optional_duration(&place, limits.max_stream_duration.as_ref());
        let place = at.field("grpc_timeout_header_max");
        let grpc_timeout_max =
            self.optional_duration(&place, limits.grpc_timeout_header_max.as_ref());
        let place = at.field("grpc_timeout_header_offset");
        let grpc_timeout_offset = if self.is_grpc() {
            if limits.grpc_timeout_header_offset.is_some() {
                self.warn(&place, "is not read in dialect grpc");
            }
            Duration::ZERO
        } else {
            self.optional_duration(&place, limits.grpc_timeout_header_offset.as_ref())
                .unwrap_or_default()
        };
        Some(StreamTimeouts {
            max_stream_duration,
            grpc_timeout_max,
            grpc_timeout_offset,
            ..none
        })
    }

    fn cluster_not_found(&mut self, at: &At<'_>, action: &Message) -> StatusCode {
        if self.is_grpc() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        match NotFound::try_from(action.cluster_not_found_response_code) {
            Ok(NotFound::ServiceUnavailable) => StatusCode::SERVICE_UNAVAILABLE,
            Ok(NotFound::NotFound) => StatusCode::NOT_FOUND,
            Ok(NotFound::InternalServerError) => StatusCode::INTERNAL_SERVER_ERROR,
            Err(_) => {
                let place = at.field("cluster_not_found_response_code");
                self.error(&place, "is not a known value");
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Hash policies have no effect yet, but a bad one is bad (gRFC A42).
    fn hash_policies(&mut self, at: &At<'_>, policies: &[HashPolicy]) {
        for (i, policy) in policies.iter().enumerate() {
            let Some(PolicySpecifier::Header(header)) = &policy.policy_specifier else {
                continue;
            };
            let at = at.index(i);
            let at = at.field("header");
            let at = at.field("regex_rewrite");
            let Some(rewrite) = &header.regex_rewrite else {
                continue;
            };
            match &rewrite.pattern {
                Some(pattern) => {
                    self.pattern(&at.field("pattern"), pattern);
                }
                None => self.error(&at.field("pattern"), "is missing"),
            }
        }
    }
}
