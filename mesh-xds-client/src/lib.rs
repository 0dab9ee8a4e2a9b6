//! An xDS client: bootstrap, ADS state machine, decoding into the mesh's configuration.

pub mod bootstrap;
pub mod protocol;
pub mod resource;
pub mod store;

pub use bootstrap::{Bootstrap, BootstrapError};
