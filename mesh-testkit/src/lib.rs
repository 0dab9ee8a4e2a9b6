//! Test doubles for the mesh: a scripted control plane, echo servers, seeded randomness.

pub mod generated;
