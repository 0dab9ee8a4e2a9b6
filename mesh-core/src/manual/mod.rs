//! The manual: why the mesh is built as it is, and where its dialects differ.

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("balancing.md")]
pub mod balancing {}

#[doc = include_str!("bounds.md")]
pub mod bounds {}

#[doc = include_str!("dialects.md")]
pub mod dialects {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("sidecar.md")]
pub mod sidecar {}
