//! The sidecar beside the real Envoy: the same resources, the same requests byte for byte, and the
//! same answers, or the difference stands in [`differences`].
//!
//! A case is a file of `cases`: what is configured, and what is asked. Nothing is expected in it: Envoy
//! says what is right. It is found by being there:
//!
//! ```text
//! //! A prefix of whole segments.
//!
//! use crate::prelude::*;
//!
//! pub(crate) fn build(case: &mut Case) {
//!     case.hit_or_miss(|route| route.path_prefix("/shop"));
//!     case.gets(&["/shop", "/shop/a", "/shopping"]);
//! }
//! ```
//!
//! Where chance has a part, [`Ask::times`] compares shares; where order has, [`Ask::at_once`] counts.
//! Servers do what [`Ask::script`] says, or say what [`Case::saying`] was given, byte by byte.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a library of tests, which fail by panicking"
)]

mod ask;
pub mod balancing;
mod case;
pub mod choosing;
pub mod differences;
mod envoy;
pub mod faults;
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
