//! Which seeds a simulation runs.

use std::ops::Range;

/// `MESH_SEEDS` of them from `MESH_SEED` on. Of the latter alone just that one, and without both a
/// `few`.
pub(crate) fn seeds(few: u64) -> Range<u64> {
    let (first, count) = (number("MESH_SEED"), number("MESH_SEEDS"));
    let count = count.unwrap_or(if first.is_some() { 1 } else { few });
    let first = first.unwrap_or(0x5eed);
    first..first + count
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}
