//! The mesh as a Tower stack: layers, connections, pools.
//!
//! A [`Mesh`] follows a source of configuration and hands out clients. A request goes down the
//! stack that `stack.rs` lays out: routing, filters, retries, timeouts, balancing, and a pooled
//! connection of HTTP/1.1 or HTTP/2.

pub mod body;
pub mod connect;
pub mod dial;
pub mod layers;
pub mod listen;
pub mod source;

mod activity;
mod alarm;
mod balance;
mod client;
mod clock;
mod deadline;
mod filter;
mod inspect;
mod mesh;
mod millis;
mod observe;
mod proxy;
mod request;
mod response;
mod retry;
mod route;
mod serve;
mod stack;
mod timeout;
mod tls;

pub use client::HttpClient;
pub use inspect::{InspectedCluster, Inspection, LiveCluster};
pub use mesh::{BuildError, Mesh, MeshBuilder, MeshDriver};
pub use observe::KnownMethods;
pub use request::{CallerDeadline, WaitForReady};
pub use response::GuardedBody;
