//! A connection in use.

use std::fmt;
use std::sync::Arc;

use super::connection::{Http1Connection, Http1Home};

/// A connection, and where it belongs. Dropping it closes the connection.
pub(super) struct Lease {
    // In the order of their end: the connection is closed when its home is let go.
    pub(super) connection: Http1Connection,
    pub(super) home: Option<Arc<dyn Http1Home>>,
    /// Whether the peer keeps the connection after this exchange.
    pub(super) keeps: bool,
    /// Whether it has the whole request.
    pub(super) sent: bool,
}

impl Lease {
    /// The exchange is over.
    pub(super) fn end(self) {
        let Self {
            mut connection,
            home,
            keeps,
            sent,
        } = self;
        // What follows a response on the wire answers nothing.
        if keeps && sent && connection.wire.read.is_empty() {
            connection.wire.rest();
            if let Some(home) = home {
                home.give_back(connection);
            }
        } else {
            drop(connection);
            drop(home);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("connection", &self.connection)
            .field("keeps", &self.keeps)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
