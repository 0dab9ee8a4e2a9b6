//! The mesh for tonic: a channel that a generated client takes.
//!
//! A [`MeshChannel`] stands where a generated client takes a channel. It says in gRPC's terms what
//! the stack below says in HTTP's: errors become statuses, the caller's timeout a deadline.

mod body;
mod channel;
mod status;

pub use body::ChannelBody;
pub use channel::MeshChannel;
