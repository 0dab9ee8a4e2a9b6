//! A service mesh inside the program: xDS-driven calls for tonic and hyper.
//!
//! [`Mesh`] reads a gRPC bootstrap, follows a control plane, and hands out channels for generated
//! gRPC clients and clients for plain HTTP. The README shows both; the
//! [manual](mesh_core::manual) explains the whole.

mod builder;
mod error;
mod mesh;
mod plane;

pub use mesh_core::{
    config::Dialect,
    filter,
    target::{TargetError, TargetUri},
};
pub use mesh_tonic::{ChannelBody, MeshChannel};
pub use mesh_tower::{CallerDeadline, GuardedBody, HttpClient, WaitForReady};
pub use mesh_xds_client::{Bootstrap, BootstrapError, protocol::Variant};

pub use self::{builder::MeshBuilder, error::Error, mesh::Mesh};

/// The README's code, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
