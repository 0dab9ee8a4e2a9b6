//! One resource: what is in use, what was sent last, what is wrong with it.

use std::{sync::Arc, time::Instant};

use super::{ErrorState, digest::Digest};

/// What is known about one resource.
#[derive(Clone, Debug)]
pub struct Entry<V> {
    value: Option<V>,
    digest: Option<Digest>,
    version: Arc<str>,
    // Rare, and larger than all the rest.
    error: Option<Box<ErrorState>>,
    status: Status,
    updated: Option<Instant>,
    timer: Option<Instant>,
    lingering: bool,
}

/// The state of a resource, in the words of client status reports (gRFC A40, A88).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Asked for, or about to be; nothing heard yet.
    #[default]
    Requested,
    /// The server does not have it.
    DoesNotExist,
    /// The last thing sent is in use.
    Acked,
    /// The last thing sent was refused; an older one may be in use.
    Nacked,
    /// The server reported an error in place of it (gRFC A88).
    ReceivedError,
    /// Nothing was heard in time (gRFC A88).
    Timeout,
}

/// What a resource is good for right now.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a, V> {
    /// Nothing is known yet.
    Waiting,
    /// It can be used.
    Ready {
        /// The last good value.
        value: &'a V,
        /// What is wrong all the same: it does not stop the value from being used, but would
        /// explain a failure (gRFC A57's ambient error, A88's resolution note).
        note: Option<&'a ErrorState>,
    },
    /// It cannot be used.
    Failed(&'a ErrorState),
}

impl<V> Default for Entry<V> {
    fn default() -> Self {
        Self {
            value: None,
            digest: None,
            version: Arc::from(""),
            error: None,
            status: Status::default(),
            updated: None,
            timer: None,
            lingering: false,
        }
    }
}

impl<V> Entry<V> {
    /// The last good value, still in use whatever was sent since.
    pub const fn value(&self) -> Option<&V> {
        self.value.as_ref()
    }

    /// What stands for the bytes that the value was decoded from.
    pub(crate) const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The version of the value; empty without one.
    pub const fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// The standing error.
    pub fn error(&self) -> Option<&ErrorState> {
        self.error.as_deref()
    }

    /// The state that a status report gives.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// When the value was last changed.
    pub const fn updated(&self) -> Option<Instant> {
        self.updated
    }

    /// What it is good for, where `connection` is the standing error of the connection.
    pub(crate) fn answer<'a>(&'a self, connection: Option<&'a ErrorState>) -> Answer<'a, V> {
        match (&self.value, self.error().or(connection)) {
            (Some(value), note) => Answer::Ready { value, note },
            (None, Some(error)) => Answer::Failed(error),
            (None, None) => Answer::Waiting,
        }
    }

    /// When it counts as absent if nothing is heard.
    pub(crate) const fn timer(&self) -> Option<Instant> {
        self.timer
    }

    /// Sets or stops the timer; gives the one that was set.
    pub(crate) const fn set_timer(&mut self, timer: Option<Instant>) -> Option<Instant> {
        std::mem::replace(&mut self.timer, timer)
    }

    /// Whether nobody wants it any more, and the server is still to be told.
    pub(crate) const fn is_lingering(&self) -> bool {
        self.lingering
    }

    /// Says whether anybody wants it.
    pub(crate) const fn set_lingering(&mut self, lingering: bool) {
        self.lingering = lingering;
    }

    /// Whether anything is there to tell of.
    pub(crate) const fn is_known(&self) -> bool {
        self.value.is_some() || self.error.is_some()
    }

    /// A new value.
    pub(crate) fn accept(&mut self, value: V, digest: Digest, version: Arc<str>, now: Instant) {
        self.value = Some(value);
        self.digest = Some(digest);
        self.version = version;
        self.error = None;
        self.status = Status::Acked;
        self.updated = Some(now);
    }

    /// The value in use was sent again; true if that cleared an error.
    pub(crate) fn confirm(&mut self, version: Arc<str>) -> bool {
        self.version = version;
        self.status = Status::Acked;
        self.error.take().is_some()
    }

    /// Something is wrong; the value goes if `drop_value`. True if that is news.
    pub(crate) fn fail(&mut self, status: Status, error: ErrorState, drop_value: bool) -> bool {
        let dropped = drop_value && self.value.is_some();
        if dropped {
            self.value = None;
            self.digest = None;
            self.version = Arc::from("");
        }
        self.status = status;
        match &mut self.error {
            Some(standing) if standing.repeats(&error) => {
                standing.version = error.version;
                standing.rejected = error.rejected;
                dropped
            }
            standing => {
                *standing = Some(Box::new(error));
                true
            }
        }
    }

    /// The value is not this server's: nothing of it may be claimed to a server.
    pub(crate) fn forget_version(&mut self) {
        self.version = Arc::from("");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Resource;

    #[test]
    fn an_entry_takes_little_room() {
        // There is one for every cluster, and one for its endpoints.
        let size = size_of::<Entry<Resource>>();
        assert!(size <= 112, "{size}");
    }
}
