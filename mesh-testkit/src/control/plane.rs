//! The state that all streams of a control plane share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tonic::Status;

use super::front::Received;
use super::log::{AdsResponse, Log, StreamKind};
use super::published::Published;
use crate::waiting::bump;

/// What is published, what is scripted and what was seen.
#[derive(Debug, Default)]
pub(super) struct Plane {
    state: Mutex<State>,
    /// Bumped when streams have something to do.
    publications: watch::Sender<u64>,
    /// Bumped whenever anything was seen or said.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) live: Published,
    /// What is held back, with all that is live.
    pub(super) held: Option<Published>,
    pub(super) script: Script,
    pub(super) log: Log,
    pub(super) streams: BTreeMap<u64, OpenStream>,
    pub(super) opened: u64,
    pub(super) refused: u64,
}

#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) delay: Duration,
    pub(super) drop_next: usize,
    pub(super) duplicate: bool,
    pub(super) wrap: bool,
    pub(super) refuse: bool,
}

/// A stream that is open.
#[derive(Debug)]
pub(super) struct OpenStream {
    pub(super) kind: StreamKind,
    pub(super) subscribed: BTreeMap<String, BTreeSet<String>>,
    requests: u64,
    /// It has been asked to end with this.
    pub(super) end: Option<Status>,
}

/// What becomes of a response.
pub(super) struct Fate {
    pub(super) delay: Duration,
    pub(super) copies: usize,
}

impl Plane {
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// For the server below, which tells of connections through it.
    pub(super) fn changes_sender(&self) -> watch::Sender<u64> {
        self.changes.clone()
    }

    pub(super) fn publications(&self) -> watch::Receiver<u64> {
        self.publications.subscribe()
    }

    /// Looks at the state.
    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state, and tells everybody.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = self.note(change);
        bump(&self.publications);
        result
    }

    /// Changes resources: the live ones, or those held back.
    pub(super) fn publish(&self, change: impl FnOnce(&mut Published)) {
        self.change(|state| change(state.held.as_mut().unwrap_or(&mut state.live)));
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Published) -> T) -> T {
        self.look(|state| read(&state.live))
    }

    /// Begins a stream: its number, and whether its resources are wrapped.
    pub(super) fn open(&self, kind: StreamKind) -> Result<(u64, bool), Status> {
        self.note(|state| {
            if state.script.refuse {
                state.refused += 1;
                return Err(Status::unavailable("streams are refused"));
            }
            state.opened += 1;
            let stream = OpenStream {
                kind,
                subscribed: BTreeMap::new(),
                requests: 0,
                end: None,
            };
            state.streams.insert(state.opened, stream);
            Ok((state.opened, state.script.wrap))
        })
    }

    pub(super) fn close(&self, id: u64) {
        self.note(|state| state.streams.remove(&id));
    }

    pub(super) fn ended(&self, id: u64) -> Option<Status> {
        self.look(|state| state.streams.get(&id)?.end.clone())
    }

    pub(super) fn received(&self, id: u64, received: Received) {
        let mut request = received.request;
        request.stream = id;
        self.note(|state| {
            let type_url = request.type_url.clone();
            if let Some(stream) = state.streams.get_mut(&id) {
                stream.requests += 1;
                request.number = stream.requests;
                stream
                    .subscribed
                    .insert(type_url.clone(), received.subscribed);
            }
            if let Some(answer) = received.answer {
                state.log.answer(type_url, id, answer);
            }
            state.log.request(request);
        });
    }

    pub(super) fn sent(&self, response: AdsResponse) {
        self.note(|state| state.log.response(response));
    }

    /// Decides what becomes of one response.
    pub(super) fn fate(&self) -> Fate {
        self.note(|state| {
            let script = &mut state.script;
            let copies = match script.drop_next.checked_sub(1) {
                Some(left) => {
                    script.drop_next = left;
                    0
                }
                None if script.duplicate => 2,
                None => 1,
            };
            let delay = script.delay;
            Fate { delay, copies }
        })
    }

    /// Changes what only observers care about.
    fn note<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        bump(&self.changes);
        result
    }
}
