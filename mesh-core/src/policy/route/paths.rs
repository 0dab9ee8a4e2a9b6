//! The routes of one virtual host by path: finds those whose path condition may hold without trying
//! them all, and still takes the first in the list.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{
    Asks, CompiledRoute,
    conditions::{self, Asked},
    trie::{Beginnings, Folded, Plain, Trie},
};
use crate::{config::PathMatch, policy::matcher::path};

/// Up to this many routes are tried one by one: that is no slower, and needs no index.
const FEW: usize = 8;

/// The routes of one virtual host.
#[derive(Debug)]
pub(super) struct Paths {
    /// Their places in the table.
    routes: Range<usize>,
    index: Option<Box<Index>>,
}

/// Where routes are found by path. A route is in one list only; every list ascends. What it finds
/// for a path is tried in full, so that it need not be exact, only leave nothing out.
#[derive(Debug)]
struct Index {
    /// Routes that regard the case of letters.
    plain: Trie<Listed>,
    /// Routes that do not; keys in lower case.
    folded: Trie<Listed>,
    /// Regexes.
    scan: Box<[u32]>,
    /// The others of both tries.
    lists: Box<[u32]>,
}

/// The routes of which the path condition has the same text; ascending.
#[derive(Clone, Debug)]
struct Listed {
    first: u32,
    /// Where the others are.
    start: u32,
    end: u32,
    /// No route of this text, or of one that this one begins with, has a lower place.
    lowest: u32,
}

/// A [`Listed`] while it grows.
#[derive(Default)]
struct Growing {
    places: Vec<u32>,
    /// Nothing of this reach or less gets past the routes listed so far.
    closed: Reach,
}

/// How many paths a text stands for; each kind takes whatever a lesser one does.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    #[default]
    Nothing,
    Exact,
    Separated,
    Prefix,
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
    pub(super) fn find<'t>(
        &self,
        table: &'t [Arc<CompiledRoute>],
        asked: &Asked<'t, '_>,
    ) -> Option<usize> {
        let path = asked.path();
        let takes = |place: usize| {
            let route = &table[place];
            // A header that is missing is the quickest to find out.
            !asked.lacks(route.needed)
                && path::holds(&route.path, route.fold, path)
                && match route.asks {
                    Asks::Nothing => true,
                    Asks::As(like) => {
                        let like = &table[like as usize];
                        asked.check(&like.route.matches, place).is_ok()
                    }
                }
        };
        match &self.index {
            None => self.routes().find(|place| takes(*place)),
            Some(index) => index.find(path, |place| takes(place as usize)),
        }
    }
}

/// Above all places.
const NOWHERE: u32 = u32::MAX;

impl Index {
    fn new(table: &[Arc<CompiledRoute>], routes: Range<usize>) -> Self {
        let mut plain = BTreeMap::<Vec<u8>, Growing>::new();
        let mut folded = BTreeMap::<Vec<u8>, Growing>::new();
        let mut scan = Vec::new();
        for place in routes {
            let matches = &table[place].route.matches;
            let short = short(place);
            let (text, reach) = match &matches.path {
                PathMatch::Exact(text) => (text, Reach::Exact),
                PathMatch::PathSeparatedPrefix(text) => (text, Reach::Separated),
                PathMatch::Prefix(text) => (text, Reach::Prefix),
                PathMatch::Regex(_) => {
                    scan.push(short);
                    continue;
                }
            };
            let list = if matches.case_sensitive {
                plain.entry(text.as_bytes().to_vec())
            } else {
                folded.entry(text.to_ascii_lowercase().into_bytes())
            };
            let list = list.or_default();
            if reach > list.closed {
                list.places.push(short);
                if conditions::none(matches) {
                    list.closed = reach;
                }
            }
        }
        let mut lists = Vec::new();
        Self {
            plain: settle(plain, &mut lists),
            folded: settle(folded, &mut lists),
            scan: scan.into(),
            lists: lists.into(),
        }
    }

    /// The place of the first route that takes the request.
    fn find(&self, path: &str, takes: impl Fn(u32) -> bool) -> Option<usize> {
        let first = self.first(self.plain.beginnings(Plain(path)), NOWHERE, &takes);
        let first = self.first(self.folded.beginnings(Folded(path)), first, &takes);
        let first = earlier(&self.scan, first, &takes);
        (first != NOWHERE).then_some(first as usize)
    }

    /// The first route of these lists that takes the request, if one does before `first`. The
    /// longest text is asked first: mostly it is the one that comes first, and shuts out the rest.
    fn first(
        &self,
        lists: Beginnings<'_, Listed>,
        mut first: u32,
        takes: impl Fn(u32) -> bool,
    ) -> u32 {
        for listed in lists {
            if listed.lowest >= first {
                break;
            }
            if listed.first < first && takes(listed.first) {
                first = listed.first;
            } else if listed.start < listed.end {
                let others = &self.lists[listed.start as usize..listed.end as usize];
                first = earlier(others, first, &takes);
            }
        }
        first
    }
}

impl Default for Listed {
    fn default() -> Self {
        Self {
            first: NOWHERE,
            start: 0,
            end: 0,
            lowest: NOWHERE,
        }
    }
}

/// The first of `list` that takes the request, if one does before `first`; else `first`.
fn earlier(list: &[u32], first: u32, takes: impl Fn(u32) -> bool) -> u32 {
    let mut before = list.iter().take_while(|place| **place < first);
    *before.find(|place| takes(**place)).unwrap_or(&first)
}

/// Moves all lists into one.
fn settle(growing: BTreeMap<Vec<u8>, Growing>, lists: &mut Vec<u32>) -> Trie<Listed> {
    let mut settle = |(text, list): (Vec<u8>, Growing)| {
        let start = short(lists.len());
        lists.extend(list.places.iter().skip(1));
        let first = list.places.first().copied().unwrap_or(NOWHERE);
        let listed = Listed {
            first,
            start,
            end: short(lists.len()),
            lowest: first,
        };
        (text, listed)
    };
    let settled = growing.into_iter().map(&mut settle).collect();
    Trie::new(settled, |listed, shorter| {
        listed.lowest = listed.lowest.min(shorter.lowest);
    })
}

/// 32 bits are enough: a protobuf message ends at 2 GiB.
fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
