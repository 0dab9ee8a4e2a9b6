//! The whole mesh against a control plane and real servers, as a program uses it: the same
//! scenarios over gRPC, HTTP/1.1 and HTTP/2, and in both variants of the xDS protocol where that
//! matters.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod support;

mod adapters;
mod before_break;
mod churn;
mod failing_endpoints;
mod health;
mod life;
mod limits;
mod observed;
mod plane_trouble;
mod routing;
mod timeouts;
mod tls;
mod upload;
mod waiting;
