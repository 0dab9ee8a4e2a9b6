//! Policy: pure functions from configuration and a request to a decision, one idea a file.

pub mod head;
pub mod matcher;
pub mod route;
pub mod weighted;
