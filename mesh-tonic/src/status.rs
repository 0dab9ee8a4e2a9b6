//! From the data path's error to a gRPC status.

use std::sync::Arc;

use http::Response;
use mesh_core::{
    Error, ErrorKind,
    policy::grpc_status::{GrpcCode, GrpcCodes},
};
use mesh_tower::GuardedBody;
use tonic::{Code, Status};

/// The status of an error: its code by the dialect's table, its one line as the message, the error
/// itself as the source.
pub(crate) fn status_of(error: Error, codes: GrpcCodes) -> Status {
    let code = Code::from_i32(i32::from(codes.of_error(&error).number()));
    let mut status = Status::new(code, error.to_string());
    status.set_source(Arc::new(error));
    status
}

/// The status of an answer that is not gRPC's (gRPC, "HTTP to gRPC Status Code Mapping").
pub(crate) fn status_of_foreign(answer: &Response<GuardedBody>) -> Status {
    let status = answer.status();
    let code = Code::from_i32(i32::from(GrpcCode::of_http(status).number()));
    let text = format!("the answer is not gRPC's: HTTP {status}");
    // Only for its words: the service has answered, and nothing failed on the way.
    let error = answer.body().named(Error::new(ErrorKind::Protocol, text));
    Status::new(code, error.to_string())
}
