//! An xDS client: bootstrap, ADS state machine, decoding into the mesh's configuration.

pub mod bootstrap;

pub use bootstrap::{Bootstrap, BootstrapError};
