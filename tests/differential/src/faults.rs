//! Faults as the fault filter has them.

use mesh_proto::envoy::{
    extensions::filters::{
        common::fault::v3::{
            FaultDelay,
            fault_delay::{FaultDelaySecifier, HeaderDelay},
        },
        http::fault::v3::{
            FaultAbort,
            fault_abort::{ErrorType, HeaderAbort},
        },
    },
    r#type::v3::FractionalPercent,
};
use mesh_testkit::xds::{FaultBuilder, fault};

const fn of_hundred(percent: u32) -> Option<FractionalPercent> {
    Some(FractionalPercent {
        numerator: percent,
        denominator: 0,
    })
}

/// Fails every request with a status of gRPC.
#[must_use]
pub fn abort_grpc(code: u32) -> FaultBuilder {
    fault().edit(|fault| {
        fault.abort = Some(FaultAbort {
            percentage: of_hundred(100),
            error_type: Some(ErrorType::GrpcStatus(code)),
            ..FaultAbort::default()
        });
    })
}

/// Lets the caller say how long to wait and how to fail, for this share of its requests in percent.
#[must_use]
pub fn fault_of_caller(percent: u32) -> FaultBuilder {
    fault().edit(|fault| {
        fault.delay = Some(FaultDelay {
            percentage: of_hundred(percent),
            fault_delay_secifier: Some(FaultDelaySecifier::HeaderDelay(HeaderDelay {})),
        });
        fault.abort = Some(FaultAbort {
            percentage: of_hundred(percent),
            error_type: Some(ErrorType::HeaderAbort(HeaderAbort {})),
            ..FaultAbort::default()
        });
    })
}
