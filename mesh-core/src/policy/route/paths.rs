//! The routes of one virtual host by path: finds those whose path condition holds without trying
//! them all, and still takes the first in the list.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{
    CompiledRoute, conditions,
    tree::{Folded, Plain, Span, Text, Tree},
};
use crate::{
    config::{MatchRules, PathMatch},
    policy::{head::RequestHead, matcher::path},
};

/// Up to this many routes are tried one by one: that is no slower, and needs no index.
const FEW: usize = 8;

/// More lists of candidates than this are not merged; the routes are tried one by one instead. It
/// takes so many prefixes of which each begins with the one before.
const LISTS: usize = 16;

/// The routes of one virtual host.
#[derive(Debug)]
pub(super) struct Paths {
    /// Their places in the table.
    routes: Range<usize>,
    index: Option<Box<Index>>,
}

/// Where routes are found by path. A route is in one list only; every list ascends.
#[derive(Debug)]
struct Index {
    /// Routes that regard the case of letters.
    plain: Tree<Slot>,
    /// Routes that do not; keys in lower case.
    folded: Tree<Slot>,
    /// Regexes.
    scan: Box<[u32]>,
    /// The lists of all slots.
    lists: Box<[u32]>,
}

/// The routes of which the path condition has the same text.
#[derive(Debug)]
struct Slot {
    exact: Span,
    separated: Span,
    prefix: Span,
}

/// The lists of a [`Slot`] while they grow.
#[derive(Default)]
struct Growing {
    exact: Vec<u32>,
    separated: Vec<u32>,
    prefix: Vec<u32>,
}

/// What a request is matched by.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) head: &'a RequestHead<'a>,
    pub(super) draw: u64,
    pub(super) rules: MatchRules,
}

impl Paths {
    /// Indexes `routes`, a part of the table's.
    pub(super) fn new(table: &[Arc<CompiledRoute>], routes: Range<usize>) -> Self {
        let index = (routes.len() > FEW).then(|| Box::new(Index::new(table, routes.clone())));
        Self { routes, index }
    }

    /// The places of the routes in the table.
    pub(super) fn routes(&self) -> Range<usize> {
        self.routes.clone()
    }

    /// The place of the first route that takes the request.
    pub(super) fn find(&self, table: &[Arc<CompiledRoute>], asked: Asked<'_>) -> Option<usize> {
        let path = asked.head.path();
        if path.is_empty() {
            return None;
        }
        let Some(index) = &self.index else {
            return self.find_linear(table, path, asked);
        };
        match index.candidates(path) {
            Some(candidates) => candidates.find(table, path, asked),
            None => self.find_linear(table, path, asked),
        }
    }

    fn find_linear(
        &self,
        table: &[Arc<CompiledRoute>],
        path: &str,
        asked: Asked<'_>,
    ) -> Option<usize> {
        self.routes.clone().find(|place| {
            let matches = &table[*place].route.matches;
            path::matches(matches, path) && asked.holds(table, *place)
        })
    }
}

impl Asked<'_> {
    /// Whether all but the path condition of a route holds.
    fn holds(self, table: &[Arc<CompiledRoute>], place: usize) -> bool {
        let matches = &table[place].route.matches;
        conditions::check(matches, place, self.head, self.draw, self.rules).is_ok()
    }
}

impl Index {
    fn new(table: &[Arc<CompiledRoute>], routes: Range<usize>) -> Self {
        let mut plain = BTreeMap::<Vec<u8>, Growing>::new();
        let mut folded = BTreeMap::<Vec<u8>, Growing>::new();
        let mut scan = Vec::new();
        for place in routes {
            let matches = &table[place].route.matches;
            let short = u32::try_from(place).unwrap_or(u32::MAX);
            let (PathMatch::Exact(text)
            | PathMatch::Prefix(text)
            | PathMatch::PathSeparatedPrefix(text)) = &matches.path
            else {
                scan.push(short);
                continue;
            };
            let slot = if matches.case_sensitive {
                plain.entry(text.as_bytes().to_vec())
            } else {
                folded.entry(text.to_ascii_lowercase().into_bytes())
            };
            let list = slot.or_default().list(&matches.path);
            // Nothing gets past a route without further conditions: the list ends with it.
            let open = |last: &u32| !conditions::none(&table[*last as usize].route.matches);
            if list.last().is_none_or(open) {
                list.push(short);
            }
        }
        let mut lists = Vec::new();
        Self {
            plain: Tree::new(settle(plain, &mut lists)),
            folded: Tree::new(settle(folded, &mut lists)),
            scan: scan.into(),
            lists: lists.into(),
        }
    }

    /// The lists of all routes whose path condition `path` satisfies, and of all regexes; `None`
    /// when they are too many.
    fn candidates(&self, path: &str) -> Option<Candidates<'_>> {
        let mut found = Candidates {
            lists: [&[]; LISTS],
            count: 0,
        };
        let bytes = path.as_bytes();
        self.collect(&self.plain, Plain(bytes), &mut found);
        self.collect(&self.folded, Folded(bytes), &mut found);
        found.push(&self.scan);
        (found.count <= LISTS).then_some(found)
    }

    fn collect<'t>(&'t self, tree: &'t Tree<Slot>, path: impl Text, found: &mut Candidates<'t>) {
        tree.walk(path, |slot, len| {
            let next = path.byte(len);
            if next.is_none() {
                found.push(slot.exact.of(&self.lists));
            }
            if matches!(next, None | Some(b'/')) {
                found.push(slot.separated.of(&self.lists));
            }
            found.push(slot.prefix.of(&self.lists));
        });
    }
}

impl Growing {
    fn list(&mut self, path: &PathMatch) -> &mut Vec<u32> {
        match path {
            PathMatch::Exact(_) => &mut self.exact,
            PathMatch::PathSeparatedPrefix(_) => &mut self.separated,
            PathMatch::Prefix(_) | PathMatch::Regex(_) => &mut self.prefix,
        }
    }
}

/// Moves all lists into one.
fn settle(growing: BTreeMap<Vec<u8>, Growing>, lists: &mut Vec<u32>) -> BTreeMap<Vec<u8>, Slot> {
    let mut take = |list: Vec<u32>| {
        let start = lists.len();
        lists.extend(list);
        Span::new(start, lists.len())
    };
    let settled = growing.into_iter().map(|(key, slot)| {
        let slot = Slot {
            exact: take(slot.exact),
            separated: take(slot.separated),
            prefix: take(slot.prefix),
        };
        (key, slot)
    });
    settled.collect()
}

/// Ascending lists of routes that may take a request.
struct Candidates<'t> {
    lists: [&'t [u32]; LISTS],
    /// How many there are, also of those that had no room.
    count: usize,
}

impl<'t> Candidates<'t> {
    fn push(&mut self, list: &'t [u32]) {
        if list.is_empty() {
            return;
        }
        if let Some(room) = self.lists.get_mut(self.count) {
            *room = list;
        }
        self.count += 1;
    }

    /// The lowest of all that takes the request. They are tried in ascending order, so that no
    /// route behind the one that is taken costs anything.
    fn find(mut self, table: &[Arc<CompiledRoute>], path: &str, asked: Asked<'_>) -> Option<usize> {
        let takes = |place: usize| {
            // A regex is the one path condition that the index does not know to hold.
            asked.holds(table, place) && holds_regex(&table[place], path)
        };
        // Mostly there is one list, and nothing to merge.
        if let [only] = &self.lists[..self.count] {
            let mut places = only.iter().map(|place| *place as usize);
            return places.find(|place| takes(*place));
        }
        loop {
            let lists = self.lists[..self.count].iter_mut();
            let list = lists
                .filter(|list| !list.is_empty())
                .min_by_key(|list| list[0])?;
            let (first, rest) = list.split_first()?;
            *list = rest;
            let place = *first as usize;
            if takes(place) {
                return Some(place);
            }
        }
    }
}

fn holds_regex(route: &CompiledRoute, path: &str) -> bool {
    match &route.route.matches.path {
        PathMatch::Regex(pattern) => pattern.is_match(path),
        _ => true,
    }
}
