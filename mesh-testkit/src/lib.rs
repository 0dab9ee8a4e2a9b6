//! Test doubles for the mesh: a scripted control plane, echo servers, seeded randomness.
//!
//! | module | holds |
//! |---|---|
//! | [`echo`] | HTTP servers that report what they saw, and misbehave on request |
//! | [`grpc_echo`] | the same for gRPC, all four kinds of call |
//! | [`client`] | a bare gRPC connection for generated clients |
//! | [`control`] | an ADS server, state of the world and delta, that a test scripts |
//! | [`xds`] | short functions that build xDS resources |
//! | [`dead`] | addresses that refuse, die or stay silent |
//! | [`seeded`], [`leak`] | repeatable randomness; a check that nothing survives a scenario |
//!
//! Servers stop when they are dropped, and nothing of them survives: the tasks of a server, its
//! connections and their streams belong to it.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test double that cannot go on fails the test, and says why"
)]

pub mod client;
pub mod control;
pub mod dead;
pub mod echo;
pub mod generated;
pub mod grpc_echo;
pub mod leak;
pub mod net;
pub mod seeded;
mod waiting;
pub mod xds;

pub use client::GrpcConnection;
pub use control::ControlPlane;
pub use dead::{CountingListener, RefusingAddress, black_hole, refusing_address};
pub use echo::EchoServer;
pub use grpc_echo::GrpcEcho;
pub use leak::assert_no_tasks_left;
pub use net::Address;
pub use seeded::Seeded;
