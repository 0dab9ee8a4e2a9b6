//! The routes of one virtual host by path: finds those whose path condition may hold without trying
//! them all, and still takes the first in the list.

use std::{borrow::Cow, ops::Range, sync::Arc};

use super::{
    Asks, CompiledRoute,
    conditions::{self, Asked},
    trie::{Beginnings, Folded, Plain, Trie},
};
use crate::{
    config::{PathMatch, RouteMatch},
    policy::matcher::path,
};

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

/// How many paths a text stands for; each kind takes whatever a lesser one does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
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
        let (mut plain, mut folded, mut scan) = (Vec::new(), Vec::new(), Vec::new());
        for place in routes {
            let RouteMatch {
                path,
                case_sensitive,
                ..
            } = &table[place].route.matches;
            match text(path) {
                None => scan.push(short(place)),
                Some((text, _)) if *case_sensitive => {
                    plain.push((Cow::Borrowed(text.as_bytes()), short(place)));
                }
                Some((text, _)) => {
                    let text = text.to_ascii_lowercase().into_bytes();
                    folded.push((Cow::Owned(text), short(place)));
                }
            }
        }
        let mut lists = Vec::new();
        Self {
            plain: settle(table, plain, &mut lists),
            folded: settle(table, folded, &mut lists),
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

/// The text of a path condition, and what it stands for; `None` for a regex.
fn text(path: &PathMatch) -> Option<(&str, Reach)> {
    match path {
        PathMatch::Exact(text) => Some((text, Reach::Exact)),
        PathMatch::PathSeparatedPrefix(text) => Some((text, Reach::Separated)),
        PathMatch::Prefix(text) => Some((text, Reach::Prefix)),
        PathMatch::Regex(_) => None,
    }
}

/// Lists the routes of each text, which stand here with their places.
fn settle(
    table: &[Arc<CompiledRoute>],
    mut texts: Vec<(Cow<'_, [u8]>, u32)>,
    lists: &mut Vec<u32>,
) -> Trie<Listed> {
    texts.sort_unstable();
    let same = texts.chunk_by(|one, next| one.0 == next.0);
    let listed = same.map(|routes| {
        let start = short(lists.len());
        let mut places = reached(table, routes.iter().map(|(_, place)| *place));
        let first = places.next().unwrap_or(NOWHERE);
        lists.extend(places);
        let listed = Listed {
            first,
            start,
            end: short(lists.len()),
            lowest: first,
        };
        (&*routes[0].0, listed)
    });
    Trie::new(listed, |listed, shorter| {
        listed.lowest = listed.lowest.min(shorter.lowest);
    })
}

/// Those of these routes of one text, in order, that any request gets to.
fn reached(
    table: &[Arc<CompiledRoute>],
    routes: impl Iterator<Item = u32>,
) -> impl Iterator<Item = u32> {
    // Nothing of this reach or less gets past the routes so far.
    let mut closed = Reach::Nothing;
    routes.filter(move |place| {
        let matches = &table[*place as usize].route.matches;
        let reach = text(&matches.path).map_or(Reach::Nothing, |(_, reach)| reach);
        let open = reach > closed;
        if open && conditions::none(matches) {
            closed = reach;
        }
        open
    })
}

/// 32 bits are enough: a protobuf message ends at 2 GiB.
fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
