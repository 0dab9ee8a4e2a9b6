//! Chores of the repository, run as `cargo run -p xtask -- <chore>`.
fn main() {}
