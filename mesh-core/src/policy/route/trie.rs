//! A trie over bytes that narrows many keys down to those a text may begin with.
//!
//! It looks only at the bytes by which keys differ, so that a look-up takes as many steps as there
//! are forks on its way and not as there are bytes; whoever asks compares what is left with the text
//! as a whole (Morrison's PATRICIA, 1968). Keys are not kept.

use std::{collections::VecDeque, ops::Range};

/// Values by key. Never changes.
///
/// The child of a node for a byte is the node so many places behind its base; the children of
/// different nodes lie between each other (Aoe's double array, 1989), so that each step of a look-up
/// fetches one place of a table that has few gaps.
#[derive(Debug)]
pub(super) struct Trie<V> {
    /// The root first.
    nodes: Box<[Node<V>]>,
}

/// Where keys part or one ends.
#[derive(Clone, Debug)]
struct Node<V> {
    /// The place of its parent; [`NOBODY`] for the root and where no node is.
    parent: u32,
    /// The place of the byte that tells its children apart; beyond every text if it has none.
    at: u32,
    /// Where its child for the byte 0 would be; counted around.
    base: u32,
    /// The node where the longest key ends that is shorter than what leads here: its place plus one,
    /// or 0.
    shorter: u32,
    /// Of the key that ends here, or none.
    value: V,
}

/// A text to look up, read as the trie's keys are.
pub(super) trait Text: Copy {
    /// The byte at `at`.
    fn byte(self, at: usize) -> Option<u8>;
}

/// As it is.
#[derive(Clone, Copy)]
pub(super) struct Plain<'a>(pub(super) &'a str);

/// With ASCII letters in lower case; the keys are that already.
#[derive(Clone, Copy)]
pub(super) struct Folded<'a>(pub(super) &'a str);

/// In lower case and from its end to its beginning.
#[derive(Clone, Copy)]
pub(super) struct FoldedBackwards<'a>(pub(super) &'a str);

impl<V: Clone + Default> Trie<V> {
    /// The trie of these keys, which ascend. `inherit` shows each value, after all that it is shown, that of the
    /// longest key that its own begins with; also the default values of places where no key ends.
    pub(super) fn new<K: AsRef<[u8]>>(
        entries: impl IntoIterator<Item = (K, V)>,
        inherit: impl Fn(&mut V, &V),
    ) -> Self {
        let (texts, values): (Vec<K>, Vec<V>) = entries.into_iter().unzip();
        let mut builder = Builder {
            texts: &texts,
            values,
            inherit,
            nodes: vec![Node::new(NOBODY)],
            gap: 1,
        };
        builder.build();
        Self {
            nodes: builder.nodes.into(),
        }
    }
}

impl<V> Trie<V> {
    /// The value of every key that `text` begins with, the longest first. Before the first of them
    /// there may be others: of keys with which it does not begin, or of none.
    pub(super) fn beginnings(&self, text: impl Text) -> Beginnings<'_, V> {
        let (mut place, mut node) = (0, &self.nodes[0]);
        while let Some(byte) = text.byte(node.at as usize) {
            let child = node.base.wrapping_add(u32::from(byte));
            match self.nodes.get(child as usize) {
                Some(next) if next.parent == place => (place, node) = (child, next),
                _ => break,
            }
        }
        Beginnings {
            nodes: &self.nodes,
            next: Some(node),
        }
    }
}

impl<V: Default> Node<V> {
    fn new(parent: u32) -> Self {
        Self {
            parent,
            at: u32::MAX,
            base: 0,
            shorter: 0,
            value: V::default(),
        }
    }
}

/// See [`Trie::beginnings`].
pub(super) struct Beginnings<'t, V> {
    nodes: &'t [Node<V>],
    next: Option<&'t Node<V>>,
}

impl<'t, V> Iterator for Beginnings<'t, V> {
    type Item = &'t V;

    fn next(&mut self) -> Option<&'t V> {
        let node = self.next?;
        let shorter = node.shorter.checked_sub(1);
        self.next = shorter.and_then(|place| self.nodes.get(place as usize));
        Some(&node.value)
    }
}

struct Builder<'k, K, V, I> {
    /// Ascending.
    texts: &'k [K],
    values: Vec<V>,
    inherit: I,
    nodes: Vec<Node<V>>,
    /// No place before this one is free, or worth a look. The root's is not free.
    gap: usize,
}

/// A node whose children are to be placed.
struct Open {
    place: usize,
    /// The keys that lead there or farther.
    keys: Range<usize>,
}

/// No node.
const NOBODY: u32 = u32::MAX;

/// How far back gaps are looked for. Bounds the work; a node's children span no more.
const WINDOW: usize = 256;

impl<K: AsRef<[u8]>, V: Clone + Default, I: Fn(&mut V, &V)> Builder<'_, K, V, I> {
    /// Level by level and without recursion, since keys may be as deep as they are long.
    fn build(&mut self) {
        let root = Open {
            place: 0,
            keys: 0..self.texts.len(),
        };
        let mut open = VecDeque::from([root]);
        while let Some(next) = open.pop_front() {
            self.fork(next, &mut open);
        }
    }

    fn fork(&mut self, Open { place, mut keys }: Open, open: &mut VecDeque<Open>) {
        let at = shared(&self.texts[keys.clone()]);
        let mut below = self.nodes[place].shorter;
        if self.texts[keys.clone()].first().map(|it| it.as_ref().len()) == Some(at) {
            self.nodes[place].value = std::mem::take(&mut self.values[keys.start]);
            keys.start += 1;
            below = short(place + 1);
        }
        self.inherit(place);
        let mut bytes: Vec<u8> = self.texts[keys.clone()]
            .iter()
            .map(|it| it.as_ref()[at])
            .collect();
        bytes.dedup();
        let Some(base) = self.room(&bytes) else {
            return;
        };
        self.nodes[place].at = short(at);
        self.nodes[place].base = base;
        for byte in bytes {
            let same = self.texts[keys.clone()].partition_point(|text| text.as_ref()[at] == byte);
            let child = base.wrapping_add(u32::from(byte)) as usize;
            self.nodes[child] = Node {
                shorter: below,
                ..Node::new(short(place))
            };
            open.push_back(Open {
                place: child,
                keys: keys.start..keys.start + same,
            });
            keys.start += same;
        }
    }

    fn inherit(&mut self, place: usize) {
        let Some(shorter) = self.nodes[place].shorter.checked_sub(1) else {
            return;
        };
        let mut value = std::mem::take(&mut self.nodes[place].value);
        (self.inherit)(&mut value, &self.nodes[shorter as usize].value);
        self.nodes[place].value = value;
    }

    /// The base for children of these bytes: the first whose places are free. `None` without any.
    fn room(&mut self, bytes: &[u8]) -> Option<u32> {
        let (first, last) = (*bytes.first()?, *bytes.last()?);
        let free = |place: usize| self.nodes.get(place).is_none_or(|it| it.parent == NOBODY);
        let from = self.gap.max(self.nodes.len().saturating_sub(WINDOW));
        let fits = |at: &usize| {
            bytes
                .iter()
                .all(|byte| free(at + usize::from(byte - first)))
        };
        // Behind the last place all are free.
        let at = (from..).find(fits)?;
        let end = at + usize::from(last - first) + 1;
        if end > self.nodes.len() {
            self.nodes.resize(end, Node::new(NOBODY));
        }
        if at == from {
            self.gap = at + 1;
        }
        Some(short(at).wrapping_sub(u32::from(first)))
    }
}

/// How many bytes these, which ascend, have in common from the beginning on.
fn shared<K: AsRef<[u8]>>(texts: &[K]) -> usize {
    let [first, .., last] = texts else {
        return texts.first().map_or(0, |text| text.as_ref().len());
    };
    let pairs = first.as_ref().iter().zip(last.as_ref());
    pairs.take_while(|(a, b)| a == b).count()
}

/// 32 bits are enough: a protobuf message ends at 2 GiB.
fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

impl Text for Plain<'_> {
    fn byte(self, at: usize) -> Option<u8> {
        self.0.as_bytes().get(at).copied()
    }
}

impl Text for Folded<'_> {
    fn byte(self, at: usize) -> Option<u8> {
        self.0.as_bytes().get(at).map(u8::to_ascii_lowercase)
    }
}

impl Text for FoldedBackwards<'_> {
    fn byte(self, at: usize) -> Option<u8> {
        let at = self.0.len().checked_sub(at)?.checked_sub(1)?;
        self.0.as_bytes().get(at).map(u8::to_ascii_lowercase)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::{collection, prelude::*};

    use super::*;

    #[derive(Clone, Copy)]
    struct Bytes<'a>(&'a [u8]);

    impl Text for Bytes<'_> {
        fn byte(self, at: usize) -> Option<u8> {
            self.0.get(at).copied()
        }
    }

    /// Bytes that are near each other and at the ends, and any.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            8 => prop::sample::select(vec![0, 1, 2, 127, 128, 254, 255]),
            1 => any::<u8>(),
        ];
        collection::vec(byte, 0..6)
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_every_key_is_found_and_none_but_beginnings_behind_the_first(
            keys in collection::btree_set(bytes(), 0..80),
            texts in collection::vec(bytes(), 20),
        ) {
            let entries = keys.iter().map(|key| (key.clone(), Some(key.clone())));
            let trie = Trie::new(entries.collect::<BTreeMap<_, _>>(), |_, _| ());
            for text in texts.iter().chain(&keys) {
                let begins = |key: &&Vec<u8>| text.starts_with(key);
                let found = trie.beginnings(Bytes(text)).flatten();
                let found: Vec<_> = found.skip_while(|key| !begins(key)).collect();
                let expected: BTreeSet<_> = keys.iter().filter(begins).collect();
                prop_assert_eq!(found, expected.into_iter().rev().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn far_bytes_leave_few_gaps() {
        let pairs = (0..=255_u8).flat_map(|first| [0, 255].map(|last| vec![first, last]));
        let entries = pairs.map(|key| (key, Some(())));
        let trie = Trie::new(entries.collect::<BTreeMap<_, _>>(), |_, _| ());
        // The root, 256 nodes and 512 leaves.
        assert!(trie.nodes.len() < 1_200, "{}", trie.nodes.len());
    }

    /// The keys found for `text`, those before the first with which it begins left out.
    fn found<'k>(keys: &[&'k str], text: impl Text, begins: impl Fn(&str) -> bool) -> Vec<&'k str> {
        let entries = keys.iter().map(|key| (key.as_bytes().to_vec(), Some(*key)));
        let trie = Trie::new(entries.collect::<BTreeMap<_, _>>(), |key, shorter| {
            let shorter = shorter.unwrap();
            assert!(key.is_none_or(|key| key.starts_with(shorter) && key.len() > shorter.len()));
        });
        let found = trie.beginnings(text).flatten().copied();
        found.skip_while(|key| !begins(key)).collect()
    }

    #[test]
    fn every_key_that_the_text_begins_with_is_found() {
        let keys = ["", "/a", "/ab", "/abc/d", "/b", "x", "/abd", "/ab\u{e9}"];
        for text in [
            "",
            "/",
            "/a",
            "/ab",
            "/abc",
            "/abc/d",
            "/abc/de",
            "/abd",
            "/b/",
            "y",
            "xx",
            "/abx/d",
            "/ab\u{e9}",
            "/ab\u{e8}",
        ] {
            let begins = |key: &str| text.starts_with(key);
            let mut expected: Vec<_> = keys.into_iter().filter(|key| begins(key)).collect();
            expected.sort_by_key(|key| std::cmp::Reverse(key.len()));
            assert_eq!(found(&keys, Plain(text), begins), expected, "{text:?}");
        }
    }

    #[test]
    fn an_empty_trie_finds_nothing() {
        for text in ["", "/a"] {
            assert!(found(&[], Plain(text), |_| true).is_empty());
        }
    }

    #[test]
    fn a_text_can_be_read_folded_and_backwards() {
        let keys = ["/a", "/ab", "/A"];
        assert_eq!(found(&keys, Folded("/ABC"), |_| true), ["/ab", "/a"]);
        let keys = ["tset.", "tset.a", "tset.ab", "x"];
        assert_eq!(
            found(&keys, FoldedBackwards("bA.TEST"), |_| true),
            ["tset.ab", "tset.a", "tset."]
        );
        assert!(
            found(&["aa", "ab"], FoldedBackwards("b"), |key| "b"
                .starts_with(key))
            .is_empty()
        );
    }

    #[test]
    fn deep_tries_neither_recurse_nor_lose_a_key() {
        let keys: Vec<String> = (0..2_000).map(|len| "a".repeat(len)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let text = "a".repeat(5_000);
        assert_eq!(found(&keys, Plain(&text), |_| true).len(), 2_000);
    }
}
