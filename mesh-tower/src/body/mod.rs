//! The two body types of every connection: what is sent and what is received.
//!
//! One concrete type each, so that no body parameter spreads into endpoints, pools and views.

mod eager;
mod request;
mod response;

pub use request::{BoxError, RequestBody};
pub use response::ResponseBody;

#[cfg(test)]
mod tests;
