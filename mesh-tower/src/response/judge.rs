//! Whether an answer was a success.

use http::{HeaderMap, StatusCode};
use mesh_core::{policy::grpc_status::GrpcCode, runtime::Outcome};

/// Judges a response by what its head and its trailers say.
#[derive(Clone, Copy, Debug)]
pub(super) enum Judge {
    /// By its HTTP status.
    Http(StatusCode),
    /// By its gRPC status, which is in the trailers unless it was in the head.
    Grpc(Option<GrpcCode>),
}

impl Judge {
    pub(super) fn new(status: StatusCode, headers: &HeaderMap, grpc: bool) -> Self {
        if grpc && status == StatusCode::OK {
            Self::Grpc(GrpcCode::read(headers))
        } else {
            Self::Http(status)
        }
    }

    /// The code that they carry.
    pub(super) fn see_trailers(&mut self, trailers: &HeaderMap) -> Option<GrpcCode> {
        let Self::Grpc(code) = self else { return None };
        *code = GrpcCode::read(trailers);
        *code
    }

    /// A gRPC answer without a status is a failure: the stream was cut.
    pub(super) fn outcome(self) -> Outcome {
        let success = match self {
            Self::Http(status) => !status.is_server_error(),
            Self::Grpc(code) => code == Some(GrpcCode::OK),
        };
        if success {
            Outcome::Success
        } else {
            Outcome::Failure
        }
    }
}
