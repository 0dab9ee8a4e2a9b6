//! HTTP filters as configuration: an ordered list, with overrides by instance name.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use serde::Serialize;

use super::Fraction;

/// One filter of a listener's chain, in request order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FilterConfig {
    /// The instance's name, by which overrides find it.
    pub name: Arc<str>,
    /// What it is.
    pub kind: FilterKind,
    /// Off unless an override turns it on.
    pub disabled: bool,
}

/// The filters that a chain can hold. The terminal router is not listed: a chain ends with it by
/// construction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum FilterKind {
    /// Delays and aborts (gRFC A33; Envoy's fault filter).
    Fault(Arc<FaultConfig>),
    /// A filter that the program registered under this type URL, with its configuration as
    /// received.
    Custom {
        /// The type URL of the configuration message.
        type_url: Arc<str>,
        /// The message's bytes.
        #[serde(skip)]
        value: Bytes,
    },
}

/// What a virtual host, a route or a weighted cluster says differently about one filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum FilterOverride {
    /// Another configuration, which also turns the filter on.
    Replace(FilterKind),
    /// Off here.
    Disable,
    /// On here, as the chain configures it.
    Enable,
}

/// Overrides by filter instance name; shared, since most scopes have none. A name that the chain
/// does not have is ignored (gRFC A39).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct FilterOverrides(pub Option<Arc<BTreeMap<Arc<str>, FilterOverride>>>);

impl FilterOverrides {
    /// The override of the filter `name`, if this scope has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&FilterOverride> {
        self.0.as_ref()?.get(name)
    }
}

/// Faults to inject (gRFC A33; `envoy.extensions.filters.http.fault.v3.HTTPFault`). Delay and abort
/// draw apart; the delay comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct FaultConfig {
    /// The delay, and for what share of requests.
    pub delay: Option<(FaultDelay, Fraction)>,
    /// The abort, and for what share of requests.
    pub abort: Option<(FaultAbort, Fraction)>,
    /// How many requests may be held by faults at once in the process; `None`: any number, 0: no
    /// faults.
    pub max_active: Option<u32>,
    /// Only requests that satisfy all of these (dialect envoy; gRPC ignores the field).
    pub headers: Vec<super::HeaderMatch>,
}

/// How long to delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum FaultDelay {
    /// This long.
    Fixed(Duration),
    /// As the request header `x-envoy-fault-delay-request` says, in milliseconds; its companion
    /// `x-envoy-fault-delay-request-percentage` can only lower the share.
    Header {
        /// What the companion's number is a part of: the denominator of the configured share.
        denominator: u32,
    },
}

/// What to answer instead of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum FaultAbort {
    /// This HTTP status, 200 to 599; a gRPC request gets the code it maps to.
    Http(u16),
    /// This gRPC code; 0 is an empty answer with status OK. Plain HTTP gets 200.
    Grpc(u32),
    /// As the request headers `x-envoy-fault-abort-request` (HTTP) and
    /// `x-envoy-fault-abort-grpc-request` say, the first before the second; their companion
    /// `x-envoy-fault-abort-request-percentage` can only lower the share.
    Header {
        /// What the companion's number is a part of: the denominator of the configured share.
        denominator: u32,
    },
}
