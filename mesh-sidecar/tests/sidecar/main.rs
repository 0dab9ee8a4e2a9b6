//! The program itself, between real clients, a control plane and real services.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod admin;
mod drain;
mod flags;
mod h2spec;
mod hygiene;
mod program;
mod support;
mod under_load;
