//! Connections to endpoints: each drives one byte stream that is already connected.

pub mod hop_by_hop;
pub mod http1;
pub mod http2;

mod executor;
mod failure;
mod io;
mod pool;

pub use executor::Executor;
pub use failure::{ConnError, ResetReason, SendFailure, SendFailureKind};
pub use io::{Connect, Connecting, Io, TcpConnect};
pub(crate) use pool::{Pool, Pools, too_many};
