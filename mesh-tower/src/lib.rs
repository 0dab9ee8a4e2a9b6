//! The mesh as a Tower stack: layers, connections, pools.

pub mod body;
pub mod connect;
