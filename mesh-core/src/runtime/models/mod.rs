//! Live state under loom: each model runs through all the ways in which its threads can interleave
//! and their atomics can be seen.
//!
//! What is modelled is what this crate does: its atomics and their orderings, what its locks guard,
//! and in which order it stores and tells. Not modelled, since loom cannot look into them:
//! `arc-swap`, `tokio::sync::watch` (a stand-in keeps its promises), `OnceLock`, and the counts of
//! `std::sync::Arc`. They take effect at once wherever a model runs through them, and other threads
//! come in between at every lock and atomic of ours.
//!
//! ```text
//! .ci/run loom
//! ```

pub(crate) mod mutex;
mod tests;
pub(crate) mod watch;
