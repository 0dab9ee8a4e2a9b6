//! Measurements of the mesh, as ratios to its peers in the same run.
//!
//! This crate holds what is measured and needs nothing but the mesh's own dependencies: the
//! configurations and the decision path with its hand-fused counterpart. The workspace in `peers`
//! holds the program that measures, beside clients whose packages do not belong in the project's
//! lock file. `benches/run` does all of it.

pub mod decision;
pub mod fused;
pub mod publish;
mod tally;
pub mod world;
