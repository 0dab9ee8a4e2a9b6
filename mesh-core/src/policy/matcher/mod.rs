//! Conditions on a request, one kind a file: pure functions over borrowed data.

pub mod fraction;
pub mod grpc;
pub mod header;
pub mod path;
pub mod query;
pub mod string;
