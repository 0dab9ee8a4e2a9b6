//! The mesh for tonic: a channel that a generated client takes.
