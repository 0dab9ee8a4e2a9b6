//! The pickers against their promises, and the failover table.

mod failover;
mod pickers;
