//! The gRPC codes of the mesh's own errors.

use super::GrpcCode;
use crate::{
    config::Dialect,
    error::{Error, ErrorKind},
};

/// Which codes the mesh's own errors get where the dialects differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcCodes {
    /// No route takes the request: UNAVAILABLE for gRPC (gRFC A28), UNIMPLEMENTED for Envoy, whose
    /// 404 maps to it.
    pub no_route: GrpcCode,
    /// A timeout that only Envoy has (route, attempt, idle): UNAVAILABLE for Envoy, whose 504 maps
    /// to it.
    pub timeout: GrpcCode,
    /// Whether a reset stream counts by the code of its reset (gRPC over HTTP/2) or is UNAVAILABLE,
    /// as Envoy's 503.
    pub by_reset: bool,
}

impl GrpcCodes {
    /// The codes of a dialect.
    #[must_use]
    pub const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Grpc => Self {
                no_route: GrpcCode::UNAVAILABLE,
                timeout: GrpcCode::DEADLINE_EXCEEDED,
                by_reset: true,
            },
            Dialect::Envoy => Self {
                no_route: GrpcCode::UNIMPLEMENTED,
                timeout: GrpcCode::UNAVAILABLE,
                by_reset: false,
            },
        }
    }

    /// The code of an error.
    #[must_use]
    pub fn of_error(self, error: &Error) -> GrpcCode {
        match error.kind() {
            ErrorKind::NoRoute => self.no_route,
            // A route may say with which status (Envoy, "cluster_not_found_response_code").
            ErrorKind::NoCluster => error
                .status()
                .map_or(GrpcCode::UNAVAILABLE, GrpcCode::of_http),
            ErrorKind::NotReady
            | ErrorKind::NoEndpoint
            | ErrorKind::Connect
            | ErrorKind::ConnectTimeout
            | ErrorKind::Tls
            | ErrorKind::Overloaded
            | ErrorKind::Dropped
            | ErrorKind::Protocol
            | ErrorKind::RateLimited => GrpcCode::UNAVAILABLE,
            ErrorKind::Reset => match error.h2_reason() {
                Some(reason) if self.by_reset => GrpcCode::of_reset(reason),
                _ => GrpcCode::UNAVAILABLE,
            },
            ErrorKind::StreamDeadline => GrpcCode::DEADLINE_EXCEEDED,
            ErrorKind::RouteTimeout | ErrorKind::AttemptTimeout | ErrorKind::StreamIdle => {
                self.timeout
            }
            ErrorKind::Denied => GrpcCode::PERMISSION_DENIED,
            ErrorKind::Unauthenticated => GrpcCode::UNAUTHENTICATED,
            ErrorKind::TooLarge | ErrorKind::ReplayOverflow => GrpcCode::RESOURCE_EXHAUSTED,
            ErrorKind::Cancelled => GrpcCode::CANCELLED,
            ErrorKind::BadRequest | ErrorKind::Internal => GrpcCode::INTERNAL,
        }
    }
}
