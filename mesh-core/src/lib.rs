//! The mesh's policy engine: configuration, routing, balancing and live state.
//!
//! Nothing here does I/O, reads a clock or owns a task. Configuration comes in through
//! [`source::ConfigSource`] as an immutable [`config::Snapshot`]; the request path reads a compiled
//! view of it and picks an endpoint; every time-dependent method takes `now`.
//!
//! The [`manual`] explains the whole.

pub mod bounds;
pub mod config;
pub mod entropy;
pub mod error;
pub mod explain;
pub mod filter;
pub mod lb;
pub mod local_reply;
pub mod manual;
pub mod name;
pub mod observe;
pub mod policy;
pub mod runtime;
pub mod server;
pub mod source;
mod sync;
pub mod target;

pub use error::{Error, ErrorKind};
