//! Fuzz targets. Each takes bytes, makes of them what its parser or state machine could meet, and
//! checks what must hold of the outcome.
//!
//! `cargo test -p mesh-fuzz` runs each for a fixed number of inputs, made from a fixed seed;
//! `.ci/fuzz 10m [TARGET]` runs each for that long under libFuzzer, which follows the coverage and
//! keeps what it found in `target/fuzz`. What fails is kept there too, and is tried first from then
//! on.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod ads;
mod answer;
mod bootstrap;
mod decode;
mod draw;
mod engine;
mod mutate;
mod schema;
mod seeds;
mod select;
mod serve;
mod text;
mod tree;

// For the reference of route selection, which is a file of mesh-core's own tests.
use mesh_core::{config, entropy};
