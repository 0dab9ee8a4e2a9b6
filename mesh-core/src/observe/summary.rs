//! What is told of a request and of an attempt when it has ended.

use std::time::Duration;

use http::StatusCode;

use super::Call;
use crate::{Error, policy::grpc_status::GrpcCode, runtime::EndpointState};

/// A request that has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestSummary<'a> {
    /// What sort of request it was.
    pub call: Call,
    /// The name of the route that took it; empty if that has none. `None` if no route took it.
    pub route: Option<&'a str>,
    /// From its arrival to its end.
    pub duration: Duration,
    /// How many attempts were made.
    pub attempts: u32,
    /// How many of them were retries by policy.
    pub retries: u32,
    /// How many of them sent again what no endpoint had seen.
    pub transparent_retries: u32,
    /// The status that the caller got, if an answer came.
    pub status: Option<StatusCode>,
    /// For a gRPC call, the code that the caller got or would have got; `None` for plain HTTP.
    pub code: Option<GrpcCode>,
    /// How it ended.
    pub end: End<'a>,
}

/// An attempt that has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptSummary<'a> {
    /// What sort of request it was part of.
    pub call: Call,
    /// Which attempt of the request it was, from 1.
    pub number: u32,
    /// The endpoint that was tried, the last if it was several; `None` if none was picked.
    pub endpoint: Option<&'a EndpointState>,
    /// From its begin, before an endpoint was picked, to its end.
    pub duration: Duration,
    /// The status of the answer, if one came.
    pub status: Option<StatusCode>,
    /// For a gRPC call, its code; `None` for plain HTTP.
    pub code: Option<GrpcCode>,
    /// How it ended.
    pub end: End<'a>,
}

/// How a request or an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// With an answer, of whatever status: whole, or as much as it took to see that it is not final.
    Answered,
    /// With an error, before or within the answer.
    Failed(&'a Error),
    /// Its caller dropped it before an answer came: neither success nor failure.
    Cancelled,
    /// Its caller dropped the answer's body before the end: neither success nor failure.
    Dropped,
}

impl End<'_> {
    /// In one word: `answered`, `failed`, `cancelled`, `dropped`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
        }
    }
}

impl<'a> RequestSummary<'a> {
    /// A request that has just arrived and ended like this; its fields are public.
    #[must_use]
    pub const fn new(call: Call, end: End<'a>) -> Self {
        Self {
            call,
            route: None,
            duration: Duration::ZERO,
            attempts: 0,
            retries: 0,
            transparent_retries: 0,
            status: None,
            code: None,
            end,
        }
    }
}

impl<'a> AttemptSummary<'a> {
    /// A first attempt that has just begun and ended like this; its fields are public.
    #[must_use]
    pub const fn new(call: Call, end: End<'a>) -> Self {
        Self {
            call,
            number: 1,
            endpoint: None,
            duration: Duration::ZERO,
            status: None,
            code: None,
            end,
        }
    }
}
