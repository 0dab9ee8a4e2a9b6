//! Sockets and servers under the test doubles.

mod address;
mod server;
mod tasks;

pub use address::Address;
pub(crate) use address::{Io, Listener, reserve};
pub(crate) use server::{Answer, Answering, Body, BoxError, Failure, Protocol, Server, full};
pub(crate) use tasks::Tasks;
