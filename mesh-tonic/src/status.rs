//! From the data path's error to a gRPC status.

use std::sync::Arc;

use http::StatusCode;
use mesh_core::{
    Error,
    policy::grpc_status::{GrpcCode, GrpcCodes},
};
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
pub(crate) fn status_of_http(status: StatusCode) -> Status {
    let code = Code::from_i32(i32::from(GrpcCode::of_http(status).number()));
    Status::new(code, format!("the answer is not gRPC's: HTTP {status}"))
}
