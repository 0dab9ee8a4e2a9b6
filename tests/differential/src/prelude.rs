//! What a case needs.

pub(crate) use std::time::Duration;

pub(crate) use h2::Reason;
pub(crate) use mesh_proto::{
    Any,
    envoy::{
        config::{
            cluster::v3::{circuit_breakers::thresholds::RetryBudget, cluster::LbPolicy},
            core::v3::HealthStatus,
            route::v3::{
                header_matcher::HeaderMatchSpecifier as Old,
                route_action::{ClusterNotFoundResponseCode, ClusterSpecifier},
                route_match::GrpcRouteMatchOptions,
            },
        },
        r#type::{matcher::v3::RegexMatcher, v3::Percent},
    },
};
pub(crate) use mesh_testkit::{
    echo::Behaviour,
    xds::{self, RouteBuilder, fault, retry, split, to},
};

pub(crate) use crate::{
    Case,
    Protocol::{Http1, Http2},
    ask::{get, post, raw},
    balancing::{by_locality, fail_in_panic, panic_below},
    choosing::{Choosing, by_cluster_header},
    faults::{abort_grpc, fault_of_caller},
    matching::{Matching, header, query},
};

/// So many milliseconds.
pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}
