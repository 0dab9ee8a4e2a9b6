//! A client connection on hyper's HTTP/1.
//!
//! One request at a time. A connection goes back to its [`Http1Home`] (a pool's idle stack) when
//! the response has been read in full, and only if it may carry another request.

mod body;
mod connection;
mod failure;
mod request;
mod upload;

pub use connection::{Http1Connection, Http1Driver, Http1Home, Http1Settings, handshake};

pub(crate) use body::Http1Body;

#[cfg(test)]
mod tests;
