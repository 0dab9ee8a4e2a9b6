//! Targets that need no control plane: host names, lists of addresses, Unix sockets.
//!
//! Such a target is one cluster, named by the target, behind one route that takes every request.
//! [`Sources`] joins these with a control plane, by the scheme of the target.

mod direct;
mod dns;
mod list;
mod resolve;
mod sources;

pub use direct::DirectConfig;
pub use dns::DnsSource;
pub use list::ListSource;
pub use resolve::{Resolve, Resolving, SystemResolver};
pub use sources::Sources;
