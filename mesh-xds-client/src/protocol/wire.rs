//! What the server has been told about one type on the stream that is open, and what it is owed.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use mesh_proto::google::rpc::Status;

/// Only a server that sends and does not read is owed more answers than this; the oldest are not given.
const MAX_REPLIES: usize = 64;

/// How long the first repetition of a NACK is held back; doubled for each further one.
const FIRST_HOLD: Duration = Duration::from_secs(1);
/// The longest that a repeated NACK is held back. A server of the state of the world that waits for
/// it does not send the correction before it.
const LONGEST_HOLD: Duration = Duration::from_secs(10);

/// One type on the wire.
#[derive(Debug)]
pub(crate) struct Wire {
    /// Whether this stream has carried a request of the type. An empty first request would ask for
    /// everything (the wildcard of the xDS protocol), so there is none without a name.
    pub(crate) started: bool,
    /// State of the world: the version accepted last, on whatever stream.
    pub(crate) version: Arc<str>,
    /// State of the world: the nonce of the last response on this stream.
    pub(crate) nonce: String,
    /// Names that the server is still to be told of. Empty before the start.
    pub(crate) added: BTreeSet<Arc<str>>,
    /// Names that nobody wants any more; they linger in the store until the next turn, so that one
    /// dropped and wanted again within a turn is not lost.
    pub(crate) removed: BTreeSet<Arc<str>>,
    replies: VecDeque<Reply>,
    /// What the last response was refused for, and how often in a row.
    refusals: Option<(String, u32)>,
    /// Whether names were told of since the last response. If that crossed the response on the way,
    /// the server has ignored it as stale, and only the answer repeats the names.
    named: bool,
    /// The answers are not to be sent before then, unless there is something else to say.
    held_until: Option<Instant>,
}

/// The answer that a response is owed.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) nonce: String,
    /// Makes it a NACK.
    pub(crate) error: Option<Status>,
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            started: false,
            version: Arc::from(""),
            nonce: String::new(),
            added: BTreeSet::new(),
            removed: BTreeSet::new(),
            replies: VecDeque::new(),
            refusals: None,
            named: false,
            held_until: None,
        }
    }
}

impl Wire {
    /// Whether a started type has something to say, now.
    pub(crate) fn is_dirty(&self) -> bool {
        let answer = !self.replies.is_empty() && self.held_until.is_none();
        self.started && (answer || !self.added.is_empty() || !self.removed.is_empty())
    }

    /// The stream is gone, and with it all that its server was told.
    pub(crate) fn end_stream(&mut self) {
        self.started = false;
        self.nonce.clear();
        self.added.clear();
        self.replies.clear();
        self.refusals = None;
        self.named = false;
        self.held_until = None;
    }

    /// A request is about to be made.
    pub(crate) fn begin_request(&mut self) {
        self.named |= !self.started || !self.added.is_empty() || !self.removed.is_empty();
    }

    /// Owes the server an answer. Each response gets its own in delta; in state of the world
    /// (`only_last`) an older nonce is stale as soon as there is a newer one.
    pub(crate) fn owe(&mut self, reply: Reply, only_last: bool, now: Instant) {
        self.hold_repetition(reply.error.as_ref(), now);
        if only_last {
            self.replies.clear();
            self.nonce.clone_from(&reply.nonce);
        } else if self.replies.len() == MAX_REPLIES {
            self.replies.pop_front();
        }
        self.replies.push_back(reply);
    }

    /// The next answer owed.
    pub(crate) fn take_reply(&mut self) -> Option<Reply> {
        self.held_until = None;
        self.replies.pop_front()
    }

    /// When held answers are due.
    pub(crate) const fn held_until(&self) -> Option<Instant> {
        self.held_until
    }

    /// Releases held answers whose time has come.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.held_until = self.held_until.filter(|until| *until > now);
    }

    /// Some servers answer a NACK with the same response at once, which would go round in circles
    /// at full speed.
    fn hold_repetition(&mut self, error: Option<&Status>, now: Instant) {
        self.held_until = None;
        let named = std::mem::take(&mut self.named);
        self.refusals = match (error, self.refusals.take()) {
            (None, _) => None,
            (Some(error), Some((text, times))) if text == error.message => {
                let factor = 1 << times.min(16);
                let hold = FIRST_HOLD.saturating_mul(factor).min(LONGEST_HOLD);
                self.held_until = (!named).then_some(now + hold);
                Some((text, times.saturating_add(1)))
            }
            (Some(error), _) => Some((error.message.clone(), 0)),
        };
    }
}
