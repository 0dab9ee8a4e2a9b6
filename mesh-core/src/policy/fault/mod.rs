//! Which faults a request gets (gRFC A33; Envoy: "Fault Injection").

use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};

use crate::{
    config::{FaultAbort, FaultConfig, FaultDelay, Fraction},
    local_reply::LocalReply,
    policy::grpc_status::GrpcCode,
};

static DELAY: HeaderName = HeaderName::from_static("x-envoy-fault-delay-request");
static DELAY_SHARE: HeaderName = HeaderName::from_static("x-envoy-fault-delay-request-percentage");
static ABORT: HeaderName = HeaderName::from_static("x-envoy-fault-abort-request");
static ABORT_GRPC: HeaderName = HeaderName::from_static("x-envoy-fault-abort-grpc-request");
static ABORT_SHARE: HeaderName = HeaderName::from_static("x-envoy-fault-abort-request-percentage");

/// The random numbers of one request, one for each kind of fault: the shares are independent.
#[derive(Clone, Copy, Debug)]
pub struct FaultDraws {
    /// Decides on the delay.
    pub delay: u64,
    /// Decides on the abort.
    pub abort: u64,
}

/// The faults of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Comes first, and counts against the request's deadline.
    pub delay: Option<Duration>,
    /// What is answered after it instead of the service's answer.
    pub abort: Option<Abort>,
}

/// An abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// With this HTTP status; gRPC requests get the code it maps to.
    Http(StatusCode),
    /// With this gRPC code; plain HTTP requests get 200, as from Envoy.
    Grpc(GrpcCode),
}

impl FaultConfig {
    /// Whether it never does anything.
    #[must_use]
    pub const fn is_inert(&self) -> bool {
        (self.delay.is_none() && self.abort.is_none()) || matches!(self.max_active, Some(0))
    }

    /// The faults of a request with these headers. What a header asks for and cannot be read is
    /// ignored. Neither the configuration's own conditions nor the faults active now are looked at.
    #[must_use]
    pub fn faults(&self, headers: &HeaderMap, draws: FaultDraws) -> Faults {
        Faults {
            delay: self.delay_of(headers, draws.delay),
            abort: self.abort_of(headers, draws.abort),
        }
    }

    fn delay_of(&self, headers: &HeaderMap, draw: u64) -> Option<Duration> {
        let (delay, share) = self.delay?;
        let (delay, share) = match delay {
            FaultDelay::Fixed(delay) => (delay, share),
            FaultDelay::Header { denominator } => (
                Duration::from_millis(number(headers, &DELAY)?),
                lowered(share, headers, &DELAY_SHARE, denominator),
            ),
        };
        (!delay.is_zero() && share.contains(draw)).then_some(delay)
    }

    fn abort_of(&self, headers: &HeaderMap, draw: u64) -> Option<Abort> {
        let (abort, share) = self.abort?;
        let (abort, share) = match abort {
            FaultAbort::Http(status) => (Abort::http(status.into())?, share),
            FaultAbort::Grpc(code) => (Abort::Grpc(GrpcCode::new(code)), share),
            FaultAbort::Header { denominator } => (
                Abort::asked_for(headers)?,
                lowered(share, headers, &ABORT_SHARE, denominator),
            ),
        };
        share.contains(draw).then_some(abort)
    }
}

impl Abort {
    /// An HTTP abort; `None` outside 200 to 599 (Envoy).
    fn http(status: u64) -> Option<Self> {
        let status = u16::try_from(status)
            .ok()
            .filter(|s| (200..=599).contains(s))?;
        StatusCode::from_u16(status).ok().map(Self::Http)
    }

    /// The abort that the headers ask for; HTTP's comes before gRPC's.
    fn asked_for(headers: &HeaderMap) -> Option<Self> {
        let grpc = || {
            let code = u32::try_from(number(headers, &ABORT_GRPC)?).ok()?;
            Some(Self::Grpc(GrpcCode::new(code)))
        };
        number(headers, &ABORT).and_then(Self::http).or_else(grpc)
    }

    /// The answer to a request that is aborted, after a delay or without one.
    #[must_use]
    pub fn reply(self, delayed: bool) -> LocalReply {
        const BODY: &str = "fault filter abort";
        let reply = match self {
            Self::Http(status) => LocalReply::new(status, BODY),
            Self::Grpc(code) => LocalReply {
                grpc_code: code,
                ..LocalReply::new(StatusCode::OK, BODY)
            },
        };
        LocalReply {
            flag: if delayed { "DI,FI" } else { "FI" },
            details: "fault_filter_abort".into(),
            ..reply
        }
    }
}

/// `share`, or less where the header asks for less.
fn lowered(share: Fraction, headers: &HeaderMap, name: &HeaderName, denominator: u32) -> Fraction {
    match number(headers, name).and_then(|numerator| u32::try_from(numerator).ok()) {
        Some(numerator) => share.min(Fraction::new(numerator, denominator)),
        None => share,
    }
}

/// The decimal number on the first line of a header.
fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let text = headers.get(name)?.to_str().ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests;
