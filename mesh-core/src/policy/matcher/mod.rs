//! Conditions on a request, one kind a file: pure functions over borrowed data.

pub mod fraction;
pub mod grpc;
pub mod header;
pub(crate) mod lookup;
pub mod path;
pub mod query;
pub mod string;
