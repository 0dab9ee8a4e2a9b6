//! A trie over bytes that narrows many keys down to those a text may begin with.
//!
//! It looks only at the bytes by which keys differ, so that a look-up takes as many steps as there
//! are forks on its way and not as there are bytes; whoever asks compares what is left with the text
//! as a whole (Morrison's PATRICIA, 1968). Keys are not kept.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
};

/// Values by key. Never changes.
#[derive(Debug)]
pub(super) struct Trie<V> {
    /// The nodes, the root first. The child for a byte is the node so many places behind its
    /// parent's base; the children of different nodes lie between each other (Aoe's double array,
    /// 1989), so that each step of a look-up fetches one place of a table that has few gaps.
    nodes: Box<[Node]>,
    keys: Box<[Key<V>]>,
}

/// Where keys part, or where one ends that no other begins with.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// The place of its parent.
    parent: u32,
    /// The place of the byte that tells its children apart; beyond every text if it has none.
    at: u32,
    /// Where its child for the byte 0 would be; counted around.
    base: u32,
    /// The longest key on the way here: its place plus one, or 0.
    key: u32,
}

impl Node {
    /// A place where no node is, or the root: nobody's child.
    const NONE: Self = Self {
        parent: u32::MAX,
        at: u32::MAX,
        base: 0,
        key: 0,
    };
}

#[derive(Debug)]
struct Key<V> {
    value: V,
    /// The longest key that this one begins with: its place plus one, or 0.
    shorter: u32,
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

impl<V> Trie<V> {
    /// The trie of these keys. `inherit` shows each value, after all that it is shown, that of the
    /// longest key that its own begins with.
    pub(super) fn new(entries: BTreeMap<Vec<u8>, V>, mut inherit: impl FnMut(&mut V, &V)) -> Self {
        let (texts, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let mut builder = Builder {
            texts: &texts,
            nodes: vec![Node::NONE],
            gap: 1,
            shorter: vec![0; texts.len()],
        };
        builder.build();
        let keys = values.into_iter().zip(builder.shorter);
        let mut keys: Box<[_]> = keys
            .map(|(value, shorter)| Key { value, shorter })
            .collect();
        // They ascend: what a key begins with stands before it.
        for place in 0..keys.len() {
            let (before, after) = keys.split_at_mut(place);
            let key = &mut after[0];
            if let Some(shorter) = before.get((key.shorter as usize).wrapping_sub(1)) {
                inherit(&mut key.value, &shorter.value);
            }
        }
        Self {
            nodes: builder.nodes.into(),
            keys,
        }
    }

    /// Every key that `text` begins with, the longest first; before the first of them there may be
    /// others, with which it does not.
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
            keys: &self.keys,
            next: node.key,
        }
    }
}

/// See [`Trie::beginnings`].
pub(super) struct Beginnings<'t, V> {
    keys: &'t [Key<V>],
    /// Its place plus one.
    next: u32,
}

impl<'t, V> Iterator for Beginnings<'t, V> {
    type Item = &'t V;

    fn next(&mut self) -> Option<&'t V> {
        let key = self.keys.get(self.next.checked_sub(1)? as usize)?;
        self.next = key.shorter;
        Some(&key.value)
    }
}

struct Builder<'k> {
    /// Ascending.
    texts: &'k [Vec<u8>],
    nodes: Vec<Node>,
    /// No place before this one is free, or worth a look.
    gap: usize,
    shorter: Vec<u32>,
}

/// Of a node whose children are to be placed.
struct Open {
    place: usize,
    /// The keys below it.
    keys: Range<usize>,
    /// The longest key above: its place plus one, or 0.
    above: u32,
}

/// How far back gaps are looked for. Bounds the work; a node's children span no more.
const WINDOW: usize = 256;

impl Builder<'_> {
    /// Level by level and without recursion, since keys may be as deep as they are long.
    fn build(&mut self) {
        let root = Open {
            place: 0,
            keys: 0..self.texts.len(),
            above: 0,
        };
        let mut open = VecDeque::from([root]);
        while let Some(next) = open.pop_front() {
            self.fork(next, &mut open);
        }
    }

    fn fork(&mut self, node: Open, open: &mut VecDeque<Open>) {
        let Open {
            place,
            mut keys,
            above,
        } = node;
        self.nodes[place].key = above;
        let at = shared(&self.texts[keys.clone()]);
        if self.texts[keys.clone()].first().map(Vec::len) == Some(at) {
            self.shorter[keys.start] = above;
            keys.start += 1;
            self.nodes[place].key = short(keys.start);
        }
        let mut bytes: Vec<u8> = self.texts[keys.clone()].iter().map(|it| it[at]).collect();
        bytes.dedup();
        let Some(base) = self.room(&bytes) else {
            return;
        };
        self.nodes[place].at = short(at);
        self.nodes[place].base = base;
        for byte in bytes {
            let same = self.texts[keys.clone()].partition_point(|text| text[at] == byte);
            let child = base.wrapping_add(u32::from(byte)) as usize;
            self.nodes[child].parent = short(place);
            open.push_back(Open {
                place: child,
                keys: keys.start..keys.start + same,
                above: self.nodes[place].key,
            });
            keys.start += same;
        }
    }

    /// The base for children of these bytes: the first whose places are free. `None` without any.
    fn room(&mut self, bytes: &[u8]) -> Option<u32> {
        let (first, last) = (*bytes.first()?, *bytes.last()?);
        let taken = |it: &Node| it.parent != u32::MAX;
        let free = |place: usize| self.nodes.get(place).is_none_or(|it| !taken(it));
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
            self.nodes.resize(end, Node::NONE);
        }
        if at == from {
            self.gap = at + 1;
        }
        Some(short(at).wrapping_sub(u32::from(first)))
    }
}

/// How many bytes these, which ascend, have in common from the beginning on.
fn shared(texts: &[Vec<u8>]) -> usize {
    let [first, .., last] = texts else {
        return texts.first().map_or(0, Vec::len);
    };
    let pairs = first.iter().zip(last);
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
    use super::*;

    /// The keys found for `text`, those before the first with which it begins left out.
    fn found<'k>(keys: &[&'k str], text: impl Text, begins: impl Fn(&str) -> bool) -> Vec<&'k str> {
        let entries = keys.iter().map(|key| (key.as_bytes().to_vec(), *key));
        let trie = Trie::new(entries.collect(), |key, shorter| {
            assert!(key.starts_with(*shorter) && key.len() > shorter.len());
        });
        let found = trie.beginnings(text).copied();
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
