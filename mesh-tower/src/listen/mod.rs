//! The way in: sockets whose requests go through the mesh.
//!
//! A [`Listener`] accepts connections, tells HTTP/1.1 from HTTP/2 by what a client says first, and
//! has each request answered by a [`Proxy`], which sends it on through the stack and makes an answer
//! of whatever comes of it. [`Drain`] ends all of that without failing a request.

mod connection;
mod drain;
mod http1;
mod linger;
mod options;
mod preface;
mod socket;
mod watch;

pub use self::{
    drain::{Drain, Draining},
    options::ListenOptions,
    socket::Listener,
};
pub use crate::{connect::Executor, proxy::Proxy};
