//! Short programs, each of which teaches one thing about the mesh.
//!
//! | program | teaches |
//! |---|---|
//! | `canary` | traffic that moves from one version to another, with everything in one process |
//! | `control-plane` | what a control plane says, and how it moves traffic |
//! | `greeter-server`, `greeter-client` | gRPC through the mesh |
//! | `http-client` | HTTP through the mesh |
//! | `axum-service` | a server whose handlers call another service through the mesh |

pub mod generated;
pub mod stop;
pub mod tally;
pub mod target;
