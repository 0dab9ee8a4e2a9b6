//! Connections to servers that the mesh itself calls: addresses, sockets, TLS, and every way in
//! which they fail.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod reach;
mod support;
mod tls;
