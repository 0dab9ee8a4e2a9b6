//! What the server has been told about one type on the stream that is open, and what it is owed.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use mesh_proto::google::rpc::Status;

/// More answers than this are never owed by a driver that takes requests between two responses.
const MAX_REPLIES: usize = 64;

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
        }
    }
}

impl Wire {
    /// Whether a started type has something to say.
    pub(crate) fn is_dirty(&self) -> bool {
        self.started
            && !(self.replies.is_empty() && self.added.is_empty() && self.removed.is_empty())
    }

    /// The stream is gone, and with it all that its server was told.
    pub(crate) fn end_stream(&mut self) {
        self.started = false;
        self.nonce.clear();
        self.added.clear();
        self.replies.clear();
    }

    /// Owes the server an answer to each response: delta.
    pub(crate) fn owe(&mut self, reply: Reply) {
        if self.replies.len() == MAX_REPLIES {
            self.replies.pop_front();
        }
        self.replies.push_back(reply);
    }

    /// Owes the server an answer to the last response only, since an older nonce is stale: state
    /// of the world.
    pub(crate) fn owe_last(&mut self, reply: Reply) {
        self.replies.clear();
        self.nonce.clone_from(&reply.nonce);
        self.replies.push_back(reply);
    }

    /// The next answer owed.
    pub(crate) fn take_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }
}
