//! Which of the endpoints before an update each endpoint of the new configuration is.
//!
//! Control planes send an assignment in about the order of the one before. So both are walked side by
//! side, and what stands where it stood is known by one comparison; only the rest is looked up.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, hash_map},
    ffi::OsStr,
    hash::Hash,
    net::SocketAddr,
};

use crate::config::Address;

/// Where an entry of the new configuration comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// There was none of this key.
    New,
    /// The one of this index before.
    Before(u32),
    /// An entry in front of it has the same key, and counts.
    Twice,
}

/// What tells entries apart.
pub(super) trait Key: Copy + Eq + Hash {
    /// One of 64 bits, the same for equal keys and cheaper than a hash.
    fn bit(self) -> u64;
}

impl Key for &Address {
    fn bit(self) -> u64 {
        let number = match self {
            Address::Socket(SocketAddr::V4(it)) => it.ip().to_bits() ^ u32::from(it.port()),
            Address::Socket(SocketAddr::V6(it)) => {
                let [.., low] = it.ip().segments();
                u32::from(low ^ it.port())
            }
            // Paths are compared by their parts: what is written behind the last does not count.
            Address::Unix(path) => {
                let name = path.file_name().map(OsStr::as_encoded_bytes);
                name.and_then(<[u8]>::last).copied().unwrap_or(0).into()
            }
        };
        1 << (number % u64::BITS)
    }
}

/// How far an entry is sought that is not the next one; twice as far each time that one in a row is
/// not found.
const REACH: usize = 8;

/// How many comparisons with others than the next one there are at most, for each entry before. What
/// is out of order beyond that is looked up.
const PATIENCE: usize = 4;

/// The origins of the keys `now`, one for each, among the different keys `before`.
pub(super) fn origins<K: Key>(before: &[K], now: impl Iterator<Item = K>) -> Vec<Origin> {
    let mut walk = Walk::new(before);
    let mut taken = vec![None; before.len()];
    let mut rest = Vec::new();
    let mut origins = Vec::with_capacity(now.size_hint().0);
    for (place, key) in now.enumerate() {
        let found = walk.find(key);
        match found {
            Some(index) => taken[index] = Some(place),
            None => rest.push((place, key)),
        }
        let index = found.and_then(|index| u32::try_from(index).ok());
        origins.push(index.map_or(Origin::New, Origin::Before));
    }
    if !rest.is_empty() {
        look_up(before, &taken, &rest, &mut origins);
    }
    origins
}

/// Those before, walked in the order of those now.
struct Walk<'a, K> {
    before: &'a [K],
    place: usize,
    reach: usize,
    patience: usize,
}

impl<'a, K: Key> Walk<'a, K> {
    const fn new(before: &'a [K]) -> Self {
        Self {
            before,
            place: 0,
            reach: REACH,
            patience: PATIENCE * before.len(),
        }
    }

    /// The index of `key`, if it is the next one or not far behind it.
    fn find(&mut self, key: K) -> Option<usize> {
        let reach = self.reach.min(self.patience + 1);
        let mut ahead = self.before[self.place..].iter().take(reach);
        match ahead.position(|it| *it == key) {
            Some(skipped) => {
                self.patience -= skipped;
                self.reach = REACH;
                self.place += skipped + 1;
                Some(self.place - 1)
            }
            None => {
                self.patience = self.patience.saturating_sub(reach);
                self.reach = self.reach.saturating_mul(2);
                None
            }
        }
    }
}

/// Finds the origins of the entries `rest`, which were not found on the way. `taken` says which entry
/// each one before was found for.
fn look_up<K: Key>(
    before: &[K],
    taken: &[Option<usize>],
    rest: &[(usize, K)],
    origins: &mut [Origin],
) {
    let mut places = HashMap::with_capacity(rest.len());
    let mut bits = 0;
    for &(place, key) in rest {
        match places.entry(key) {
            hash_map::Entry::Occupied(_) => origins[place] = Origin::Twice,
            hash_map::Entry::Vacant(room) => {
                room.insert(place);
                bits |= key.bit();
            }
        }
    }
    for (index, (key, taken)) in (0..).zip(before.iter().zip(taken)) {
        if bits & key.bit() == 0 {
            continue;
        }
        match (places.get(key), *taken) {
            (None, _) => {}
            (Some(&place), Some(first)) if first < place => origins[place] = Origin::Twice,
            (Some(&place), taken) => {
                origins[place] = Origin::Before(index);
                if let Some(second) = taken {
                    origins[second] = Origin::Twice;
                }
            }
        }
    }
}
