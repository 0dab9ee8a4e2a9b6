//! What an embedder may choose.

use mesh_core::config::Dialect;

use crate::{
    protocol::{Limits, Variant},
    resource::DecodeOptions,
};

/// How a client reads and behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct XdsOptions {
    /// How resources are read: dialect, filters of the program's own.
    pub decode: DecodeOptions,
    /// Which variant of the protocol is spoken. Default: deltas with a first control plane whose
    /// `server_features` list `delta_xds`, state of the world with any other.
    pub variant: Option<Variant>,
    /// Bounds of what is kept.
    pub limits: Limits,
    /// Bytes of one response at most; a larger one ends the stream with an error. Default 64 MiB:
    /// a state-of-the-world response holds all clusters at once, tens of thousands of them take a
    /// few ten MiB, and gRPC's own default of 4 MiB would never let them through.
    pub max_message_size: usize,
    /// Seeds the jitter of the back-off. Default: random.
    pub seed: u64,
}

impl XdsOptions {
    /// The defaults of a dialect.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            decode: DecodeOptions::new(dialect),
            variant: None,
            limits: Limits::default(),
            max_message_size: 64 << 20,
            seed: fastrand::u64(..),
        }
    }

    /// Speaks this variant of the protocol.
    #[must_use]
    pub const fn variant(mut self, variant: Variant) -> Self {
        self.variant = Some(variant);
        self
    }
}
