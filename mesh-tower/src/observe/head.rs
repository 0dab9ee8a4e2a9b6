//! What the head of an answer says about how it went.

use http::{Response, StatusCode};
use mesh_core::{observe::Call, policy::grpc_status::GrpcCode};

use crate::response::GuardedBody;

/// An answer's status, and its gRPC code once that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    status: StatusCode,
    code: Option<GrpcCode>,
}

impl Head {
    /// Of an answer as its endpoint sent it.
    pub(super) fn sent(answer: &Response<GuardedBody>, call: Call) -> Self {
        match answer.body().said().filter(|_| call.is_grpc()) {
            Some(code) => Self {
                status: answer.status(),
                code,
            },
            None => Self::of(answer, call),
        }
    }

    /// Of any answer.
    pub(super) fn of<B>(answer: &Response<B>, call: Call) -> Self {
        let status = answer.status();
        // An answer that is not gRPC's has no trailers to wait for.
        let by_status = (status != StatusCode::OK).then(|| GrpcCode::of_http(status));
        let code = call
            .is_grpc()
            .then(|| GrpcCode::read(answer.headers()).or(by_status))
            .flatten();
        Self { status, code }
    }

    /// Trailers have come, with this code.
    pub(super) fn see(&mut self, code: Option<GrpcCode>) {
        self.code = code.or(self.code);
    }

    pub(super) const fn status(self) -> StatusCode {
        self.status
    }

    pub(super) const fn code(self) -> Option<GrpcCode> {
        self.code
    }
}
