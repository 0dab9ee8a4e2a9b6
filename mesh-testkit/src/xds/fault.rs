//! The fault filter's configuration.

use std::time::Duration;

use mesh_proto::envoy::extensions::filters::common::fault::v3::FaultDelay;
use mesh_proto::envoy::extensions::filters::common::fault::v3::fault_delay::FaultDelaySecifier;
use mesh_proto::envoy::extensions::filters::http::fault::v3::fault_abort::ErrorType;
use mesh_proto::envoy::extensions::filters::http::fault::v3::{FaultAbort, HttpFault};

use super::{builder, duration, percent};

/// A fault filter that does nothing yet.
#[must_use]
pub fn fault() -> FaultBuilder {
    FaultBuilder {
        fault: HttpFault::default(),
    }
}

/// Builds a fault filter's configuration. Shares are in percent.
#[derive(Clone, Debug)]
pub struct FaultBuilder {
    fault: HttpFault,
}

builder!(FaultBuilder { fault: HttpFault });

impl FaultBuilder {
    /// Fails a share of requests with a gRPC code.
    #[must_use]
    pub fn abort_grpc(self, code: tonic::Code, share: f64) -> Self {
        self.abort(ErrorType::GrpcStatus(code as u32), share)
    }

    /// Fails a share of requests with an HTTP status.
    #[must_use]
    pub fn abort_http(self, status: u16, share: f64) -> Self {
        self.abort(ErrorType::HttpStatus(status.into()), share)
    }

    /// Delays a share of requests.
    #[must_use]
    pub fn delay(self, delay: Duration, share: f64) -> Self {
        let fixed = duration(delay).map(FaultDelaySecifier::FixedDelay);
        self.edit(|fault| {
            fault.delay = Some(FaultDelay {
                percentage: percent(share),
                fault_delay_secifier: fixed,
            });
        })
    }

    /// Bounds the faults that are active at a time.
    #[must_use]
    pub fn max_active(self, limit: u32) -> Self {
        self.edit(|fault| fault.max_active_faults = Some(limit))
    }

    fn abort(self, error: ErrorType, share: f64) -> Self {
        self.edit(|fault| {
            fault.abort = Some(FaultAbort {
                percentage: percent(share),
                error_type: Some(error),
                ..FaultAbort::default()
            });
        })
    }
}
