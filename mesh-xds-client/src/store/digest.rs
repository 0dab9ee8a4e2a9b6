//! What tells one version of a resource from another when its bytes are gone.

use std::hash::{BuildHasher, RandomState};

/// Stands for the bytes of a resource: they are much larger, and what was made of them is kept anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest([u64; 2]);

/// Makes digests of 128 bits with keys of its own. No two resources have the same one by chance, and
/// who does not know the keys cannot make such two.
#[derive(Clone, Debug, Default)]
pub(super) struct Digests([RandomState; 2]);

impl Digests {
    pub(super) fn of(&self, bytes: &[u8]) -> Digest {
        Digest(self.0.each_ref().map(|keys| keys.hash_one(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_digest_repeats_itself_and_its_halves_differ() {
        let digests = Digests::default();
        let of = |number: u32| digests.of(&number.to_be_bytes());
        assert_eq!(of(7), of(7));
        let halves: HashSet<u64> = (0..1000).flat_map(|number| of(number).0).collect();
        assert_eq!(halves.len(), 2000);
        assert_ne!(Digests::default().of(b"a"), digests.of(b"a"));
    }
}
