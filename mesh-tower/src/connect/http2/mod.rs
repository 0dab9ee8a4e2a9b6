//! A client connection on the `h2` crate itself.
//!
//! A call runs in its caller's task: it reserves a stream slot, queues the headers (with a small
//! full body in the same go), pumps a streaming body while it waits for the response headers and
//! reads the response. No channel, no task per unary call. One task drives the connection
//! ([`Http2Driver`]); an upload that outlives the response headers gets a task of its own, because
//! a caller may feed it without reading the response.

mod body;
mod config;
mod connection;
mod driver;
mod failure;
mod keepalive;
mod pump;
mod send;
mod shared;
mod upload;

pub use config::Http2Settings;
pub use connection::{ConnectionState, Http2Connection, StreamPermit};
pub use driver::{Http2Driver, handshake};
pub use send::Http2Send;

pub(crate) use body::Http2Body;

#[cfg(test)]
mod tests;
