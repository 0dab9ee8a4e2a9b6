//! A radix tree over bytes: finds all keys that a text begins with in one walk.

use std::collections::BTreeMap;

/// Keys with values. Never changes; kept in a few flat vectors, so that large tables stay small and
/// close together.
#[derive(Debug)]
pub(super) struct Tree<V> {
    nodes: Box<[Node]>,
    /// The first byte of each node's label, side by side so that siblings are scanned quickly.
    firsts: Box<[u8]>,
    /// The rests of all labels.
    labels: Box<[u8]>,
    values: Box<[V]>,
}

/// A node and its children, which lie side by side.
#[derive(Debug)]
struct Node {
    /// The bytes between its parent and itself, its label, but for the first.
    rest: Span,
    children: Span,
    /// The place of the value of the key that ends here, plus one; 0: none does.
    value: u32,
}

/// A part of a vector. 32 bits are enough: a protobuf message ends at 2 GiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// A text to look up, read as the tree's keys are.
pub(super) trait Text: Copy {
    /// How many bytes it has.
    fn len(self) -> usize;
    /// The byte at `at`.
    fn byte(self, at: usize) -> Option<u8>;
    /// Whether `label` stands at `at`.
    fn has(self, at: usize, label: &[u8]) -> bool;
}

/// As it is.
#[derive(Clone, Copy)]
pub(super) struct Plain<'a>(pub(super) &'a [u8]);

/// With ASCII letters in lower case; the keys are that already.
#[derive(Clone, Copy)]
pub(super) struct Folded<'a>(pub(super) &'a [u8]);

/// In lower case and from its end to its beginning.
#[derive(Clone, Copy)]
pub(super) struct FoldedBackwards<'a>(pub(super) &'a [u8]);

impl<V> Tree<V> {
    /// The tree of these keys.
    pub(super) fn new(entries: BTreeMap<Vec<u8>, V>) -> Self {
        let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let mut builder = Builder {
            keys: &keys,
            nodes: Vec::new(),
            firsts: Vec::new(),
            labels: Vec::new(),
        };
        builder.build();
        Self {
            nodes: builder.nodes.into(),
            firsts: builder.firsts.into(),
            labels: builder.labels.into(),
            values: values.into(),
        }
    }

    /// Shows `visit` every key that `text` begins with, the shortest first: its value and its
    /// length.
    pub(super) fn walk<'t>(&'t self, text: impl Text, mut visit: impl FnMut(&'t V, usize)) {
        let (mut node, mut at) = (&self.nodes[0], 0);
        loop {
            if let Some(value) = node.value.checked_sub(1) {
                visit(&self.values[value as usize], at);
            }
            let Some(byte) = text.byte(at) else { return };
            let siblings = node.children.of(&self.firsts);
            // They ascend. Counting instead of searching leaves no branch to be mispredicted.
            let child = siblings.iter().filter(|first| **first < byte).count();
            if siblings.get(child) != Some(&byte) {
                return;
            }
            node = &node.children.of(&self.nodes)[child];
            let rest = node.rest.of(&self.labels);
            if !rest.is_empty() && !text.has(at + 1, rest) {
                return;
            }
            at += 1 + rest.len();
        }
    }
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        let short = |place| u32::try_from(place).unwrap_or(u32::MAX);
        Self {
            start: short(start),
            end: short(end),
        }
    }

    /// The part of `whole`.
    pub(super) fn of<T>(self, whole: &[T]) -> &[T] {
        whole
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

struct Builder<'k> {
    keys: &'k [Vec<u8>],
    nodes: Vec<Node>,
    firsts: Vec<u8>,
    labels: Vec<u8>,
}

impl Builder<'_> {
    /// Level by level and without recursion, since keys may be as deep as they are long.
    fn build(&mut self) {
        self.push(&[]);
        // Of the node at the same place: its keys, and how many of their bytes lead to it.
        let mut work = vec![(0..self.keys.len(), 0)];
        let mut place = 0;
        while let Some((mut keys, depth)) = work.get(place).cloned() {
            if keys.start < keys.end && self.keys[keys.start].len() == depth {
                keys.start += 1;
                self.nodes[place].value = u32::try_from(keys.start).unwrap_or(0);
            }
            let first_child = self.nodes.len();
            while keys.start < keys.end {
                let first = &self.keys[keys.start];
                let group =
                    self.keys[keys.clone()].partition_point(|key| key[depth] == first[depth]);
                let last = &self.keys[keys.start + group - 1];
                let shared = first[depth..]
                    .iter()
                    .zip(&last[depth..])
                    .take_while(|(a, b)| a == b)
                    .count();
                self.push(&first[depth..depth + shared]);
                work.push((keys.start..keys.start + group, depth + shared));
                keys.start += group;
            }
            self.nodes[place].children = Span::new(first_child, self.nodes.len());
            place += 1;
        }
    }

    fn push(&mut self, label: &[u8]) {
        let (first, rest) = label.split_first().unwrap_or((&0, &[]));
        let start = self.labels.len();
        self.labels.extend_from_slice(rest);
        self.firsts.push(*first);
        self.nodes.push(Node {
            rest: Span::new(start, self.labels.len()),
            children: Span::new(0, 0),
            value: 0,
        });
    }
}

impl Text for Plain<'_> {
    fn len(self) -> usize {
        self.0.len()
    }
    fn byte(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }
    fn has(self, at: usize, label: &[u8]) -> bool {
        self.0.get(at..at + label.len()) == Some(label)
    }
}

impl Text for Folded<'_> {
    fn len(self) -> usize {
        self.0.len()
    }
    fn byte(self, at: usize) -> Option<u8> {
        self.0.get(at).map(u8::to_ascii_lowercase)
    }
    fn has(self, at: usize, label: &[u8]) -> bool {
        self.0
            .get(at..at + label.len())
            .is_some_and(|part| part.eq_ignore_ascii_case(label))
    }
}

impl Text for FoldedBackwards<'_> {
    fn len(self) -> usize {
        self.0.len()
    }
    fn byte(self, at: usize) -> Option<u8> {
        let at = self.0.len().checked_sub(at + 1)?;
        Some(self.0[at].to_ascii_lowercase())
    }
    fn has(self, at: usize, label: &[u8]) -> bool {
        let (Some(end), Some(start)) = (
            self.0.len().checked_sub(at),
            self.0.len().checked_sub(at + label.len()),
        ) else {
            return false;
        };
        let part = self.0[start..end].iter().rev();
        part.zip(label).all(|(a, b)| a.eq_ignore_ascii_case(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys found on the way along `text`.
    fn found(keys: &[&str], text: impl Text) -> Vec<(String, usize)> {
        let entries = keys
            .iter()
            .map(|key| (key.as_bytes().to_vec(), (*key).to_owned()));
        let tree = Tree::new(entries.collect());
        let mut found = Vec::new();
        tree.walk(text, |key, len| found.push((key.clone(), len)));
        found
    }

    #[test]
    fn every_key_that_the_text_begins_with_is_found() {
        let keys = ["", "/a", "/ab", "/abc/d", "/b", "x", "/abd"];
        for text in [
            "", "/", "/a", "/ab", "/abc", "/abc/d", "/abc/de", "/abd", "/b/", "y", "xx",
        ] {
            let mut expected: Vec<_> = keys
                .iter()
                .filter(|key| text.starts_with(**key))
                .map(|key| ((*key).to_owned(), key.len()))
                .collect();
            expected.sort_by_key(|(_, len)| *len);
            assert_eq!(found(&keys, Plain(text.as_bytes())), expected, "{text:?}");
        }
    }

    #[test]
    fn an_empty_tree_finds_nothing() {
        assert!(found(&[], Plain(b"")).is_empty() && found(&[], Plain(b"/a")).is_empty());
    }

    #[test]
    fn a_text_can_be_read_folded_and_backwards() {
        let names = |found: Vec<(String, usize)>| -> Vec<String> {
            found.into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(
            names(found(&["/a", "/ab", "/A"], Folded(b"/ABC"))),
            ["/a", "/ab"]
        );
        assert_eq!(
            names(found(
                &["tset.", "tset.a", "tset.ab"],
                FoldedBackwards(b"bA.TEST")
            )),
            ["tset.", "tset.a", "tset.ab"]
        );
        assert!(found(&["abc"], FoldedBackwards(b"ba")).is_empty());
    }

    #[test]
    fn deep_trees_neither_recurse_nor_lose_a_key() {
        let keys: Vec<String> = (0..2_000).map(|len| "a".repeat(len)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let text = "a".repeat(5_000);
        assert_eq!(found(&keys, Plain(text.as_bytes())).len(), 2_000);
    }
}
