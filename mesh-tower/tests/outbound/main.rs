//! Requests through the whole stack to real servers, over every protocol.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod adapter;
mod balance;
mod deadline;
mod filter;
mod layers;
mod leak;
mod observe;
mod pool;
mod ready;
mod replay;
mod retry;
mod support;
mod timeout;
mod unix;
