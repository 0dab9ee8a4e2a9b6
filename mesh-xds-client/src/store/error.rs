//! What went wrong with a resource, and whose fault it is.

use std::{fmt, sync::Arc, time::Instant};

use bytes::Bytes;

/// A standing error of a resource, or of the connection to the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorState {
    /// What kind of error.
    pub kind: ErrorKind,
    /// In words for users: names the resource and our node, bounded in length.
    pub details: Arc<str>,
    /// The version that was refused; empty where the error is not about one.
    pub version: Arc<str>,
    /// The resource as it was refused, for status reports.
    pub rejected: Option<Bytes>,
    /// When it was first seen.
    pub at: Instant,
}

impl ErrorState {
    /// Whether it says the same as `other`, whenever and with whatever version.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        self.kind == other.kind && self.details == other.details
    }
}

impl fmt::Display for ErrorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.details)
    }
}

/// The kinds of error (gRFC A88).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// We refused what the server sent (NACK).
    Rejected,
    /// The server does not have it: deleted, or not sent in time.
    Absent,
    /// The server reports an error in place of the resource.
    Refused {
        /// The gRPC status code that it gave.
        code: i32,
    },
    /// Not sent in time by a server that would have reported an absence.
    Timeout,
    /// The control plane could not be reached, or ended the stream without a word.
    Connection,
}

impl ErrorKind {
    /// `google.rpc.Code.NOT_FOUND`.
    const NOT_FOUND: i32 = 5;
    /// `google.rpc.Code.PERMISSION_DENIED`.
    const PERMISSION_DENIED: i32 = 7;

    /// Whether it may pass by itself. What does not is a *data error* in the words of gRFC A88:
    /// about the resource and not about the way to it.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        match self {
            Self::Rejected | Self::Absent => false,
            Self::Refused { code } => !matches!(code, Self::NOT_FOUND | Self::PERMISSION_DENIED),
            Self::Timeout | Self::Connection => true,
        }
    }
}
