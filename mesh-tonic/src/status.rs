//! From the data path's error to a gRPC status.

use std::sync::Arc;

use mesh_core::{Error, policy::grpc_status::GrpcCodes};
use tonic::{Code, Status};

/// The status of an error: its code by the dialect's table, its one line as the message, the error
/// itself as the source.
pub(crate) fn status_of(error: Error, codes: GrpcCodes) -> Status {
    let code = Code::from_i32(i32::from(codes.of_error(&error).number()));
    let mut status = Status::new(code, error.to_string());
    status.set_source(Arc::new(error));
    status
}
