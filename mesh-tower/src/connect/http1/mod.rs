//! A client connection over HTTP/1.
//!
//! One request at a time, in its caller's task: no channel, no task for a connection. `httparse` reads
//! heads; what is written and what ends a message is here. A response that begins before its request
//! has been sent in full gets a task, as an upload over HTTP/2 does.
//!
//! A connection goes back to its [`Http1Home`] (a pool's idle stack) when the response has been read
//! in full, and only if it may carry another request.

mod body;
mod chunked;
mod connection;
mod decoder;
mod lease;
mod length;
mod out;
mod relay;
mod request;
mod response;
mod upload;
mod wire;

pub use connection::{Http1Connection, Http1Home, Http1Settings};

pub(crate) use body::Http1Body;
pub(crate) use connection::turn;

#[cfg(test)]
mod tests;
