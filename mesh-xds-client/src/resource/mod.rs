//! Resources of a control plane.

mod kind;

pub use kind::ResourceType;
