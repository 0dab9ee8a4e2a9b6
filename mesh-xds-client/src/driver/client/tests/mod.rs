//! The whole client without its I/O, held against model control planes.

mod driven;
mod simulation;
mod world;
