//! What happens to requests under way when something ends or changes: nothing.

mod changes;
mod endpoints;
mod plane;
mod signal;
