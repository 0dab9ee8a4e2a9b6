//! Listeners: real clients, a socket, the stack, real servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod clocks;
mod drain;
mod raw;
mod support;
