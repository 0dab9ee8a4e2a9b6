//! The mesh against programs that are not ours: the go-control-plane program serves it, gRPC C-core
//! clients follow our control plane, gRPC C-core servers answer our channel.
//!
//! `.ci/setup --peers` installs them. A test whose peer is missing says so and passes, unless
//! `MESH_REQUIRE_PEERS=1` is set.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod go_control_plane;
mod grpcio;
mod load;
mod peers;
mod scene;
