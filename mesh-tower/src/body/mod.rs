//! The two body types of every connection: what is sent and what is received.
//!
//! One concrete type each, so that no body parameter spreads into endpoints, pools and views.

mod eager;
mod request;
mod response;

pub use request::{BoxError, RequestBody};
pub use response::ResponseBody;

use http_body::SizeHint;

/// The size of a body before whose `rest` there are `more` bytes.
pub(crate) fn longer(rest: &SizeHint, more: u64) -> SizeHint {
    let mut hint = SizeHint::new();
    // The upper bound first: a lower bound above it would be refused.
    if let Some(upper) = rest.upper() {
        hint.set_upper(upper.saturating_add(more));
    }
    hint.set_lower(rest.lower().saturating_add(more));
    hint
}

#[cfg(test)]
mod tests;
