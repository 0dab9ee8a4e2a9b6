//! The sidecar beside the real Envoy: the same resources, the same requests byte for byte, and the
//! same answers, or the difference stands in [`differences`].
//!
//! A case is a file of `cases`: what is configured, and what is asked. Nothing is expected in it: Envoy
//! says what is right.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a library of tests, which fail by panicking"
)]

mod ask;
mod case;
pub mod choosing;
pub mod differences;
mod envoy;
mod http1;
mod http2;
mod log;
pub mod matching;
mod outcome;
mod prelude;
pub mod random;
mod raw_server;
mod run;
mod sidecar;

pub use self::{
    ask::{Ask, Protocol, get, post, raw},
    case::Case,
    envoy::Envoy,
    outcome::Outcome,
    run::{Suite, compare},
    sidecar::Sidecar,
};
