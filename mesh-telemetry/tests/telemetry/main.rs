//! Real calls through a channel and a client, and what is told of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod numbers;
mod page;
mod parser;
mod propagation;
mod spans;
mod support;
mod table;
