//! An xDS client: bootstrap, ADS state machine, decoding into the mesh's configuration.
//!
//! [`XdsSource`] is what a program uses: a [`ConfigSource`](mesh_core::source::ConfigSource) fed
//! over one stream by an [`XdsDriver`], which the program spawns. The client cannot dial: it is
//! given a [`Connector`](driver::Connector).

pub mod bootstrap;
pub mod driver;
mod graph;
pub mod protocol;
pub mod resource;
pub mod source;
pub mod store;

pub use bootstrap::{Bootstrap, BootstrapError};
pub use driver::{XdsDriver, XdsOptions};
pub use source::{WeakXdsSource, XdsSource, XdsStatus};
