//! A generated client on the channel, against a real gRPC server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod failures;
mod streams;
mod support;
mod unary;
