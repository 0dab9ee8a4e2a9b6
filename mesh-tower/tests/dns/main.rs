//! Targets without a control plane: names, lists and sockets, alone and under a mesh.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod direct;
mod follow;
mod outbound;
mod support;
