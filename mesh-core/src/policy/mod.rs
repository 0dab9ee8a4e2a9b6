//! Policy: pure functions from configuration and a request to a decision, one idea a file.

pub mod backoff;
pub mod deadline;
pub mod fault;
pub mod grpc_status;
pub mod head;
pub mod matcher;
pub mod retry;
pub mod route;
pub mod weighted;
