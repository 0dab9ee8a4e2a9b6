//! What a server has seen, up to a bound.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Version};
use tokio::sync::watch;

use crate::waiting::bump;

/// Requests remembered; the oldest go first.
const CAPACITY: usize = 10_000;

/// A request as a server saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its number on this server, from 1.
    pub serial: u64,
    /// The number of its connection on this server, from 1.
    pub connection: u64,
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// `:authority`, or `host` over HTTP/1.
    pub authority: String,
    /// The HTTP version.
    pub version: Version,
    /// All headers.
    pub headers: HeaderMap,
    /// The beginning of the body, once it has arrived in full; at most 64 KiB.
    pub body: Bytes,
    /// The length of the body, once it has arrived in full.
    pub body_len: Option<u64>,
}

impl Seen {
    /// The first value of a header, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn new(serial: u64, connection: u64, head: &Parts) -> Self {
        let host = head.headers.get(http::header::HOST);
        let authority = head
            .uri
            .authority()
            .map(|authority| authority.to_string())
            .or_else(|| Some(host?.to_str().ok()?.to_owned()));
        Self {
            serial,
            connection,
            method: head.method.clone(),
            path: head
                .uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
            authority: authority.unwrap_or_default(),
            version: head.version,
            headers: head.headers.clone(),
            body: Bytes::new(),
            body_len: None,
        }
    }
}

/// The requests of one server.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Mutex<VecDeque<Seen>>,
    count: AtomicU64,
    in_flight: AtomicU64,
    cancelled: AtomicU64,
    changes: watch::Sender<u64>,
}

impl Journal {
    pub(crate) fn changes(&self) -> &watch::Sender<u64> {
        &self.changes
    }

    pub(crate) fn entries(&self) -> Vec<Seen> {
        self.lock().iter().cloned().collect()
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn cancelled(&self) -> u64 {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Remembers a request whose head has arrived.
    pub(crate) fn begin(self: &Arc<Self>, connection: u64, head: &Parts) -> (Seen, InFlight) {
        let mut entries = self.lock();
        let serial = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let seen = Seen::new(serial, connection, head);
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        entries.push_back(seen.clone());
        drop(entries);
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        bump(&self.changes);
        let journal = Arc::clone(self);
        let answered = false;
        (seen, InFlight { journal, answered })
    }

    /// Adds the body to a request remembered before.
    pub(crate) fn complete(&self, serial: u64, body: Bytes, body_len: u64) {
        let mut entries = self.lock();
        if let Some(seen) = entries.iter_mut().rev().find(|seen| seen.serial == serial) {
            seen.body = body;
            seen.body_len = Some(body_len);
        }
        drop(entries);
        bump(&self.changes);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Seen>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a request as in flight while it lives, and as cancelled if it was never answered.
#[derive(Debug)]
pub(crate) struct InFlight {
    journal: Arc<Journal>,
    answered: bool,
}

impl InFlight {
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.journal.in_flight.fetch_sub(1, Ordering::SeqCst);
        if !self.answered {
            self.journal.cancelled.fetch_add(1, Ordering::SeqCst);
        }
        bump(&self.journal.changes);
    }
}
