//! Where the body of a response ends.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::chunked::Chunks;

/// Takes a body off what was read (RFC 9112 section 6).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoder {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunks),
    /// It ends with the connection.
    UntilClose,
}

/// What comes next in a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Data(Bytes),
    End(Option<HeaderMap>),
    /// More has to be read first.
    More,
}

impl Decoder {
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunks::default())
    }

    /// The whole body, if it is in `buffer`, where it is taken off.
    pub(super) fn take_whole(self, buffer: &mut BytesMut) -> Result<Bytes, Self> {
        match self {
            Self::Length(mut left) if left <= buffer.len() as u64 => Ok(take(buffer, &mut left)),
            partial => Err(partial),
        }
    }

    /// Takes the next part off `buffer`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Part, &'static str> {
        match self {
            Self::Length(0) => Ok(Part::End(None)),
            Self::Chunked(chunks) => chunks.next(buffer),
            _ if buffer.is_empty() => Ok(Part::More),
            Self::Length(left) => Ok(Part::Data(take(buffer, left))),
            Self::UntilClose => Ok(Part::Data(buffer.split().freeze())),
        }
    }

    /// Whether `buffer` begins with all that is left, and that is no more data and no trailers. If so
    /// it is taken off.
    pub(super) fn take_end(&mut self, buffer: &mut BytesMut) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.take_end(buffer),
            Self::UntilClose => false,
        }
    }

    /// The bytes still to come, if that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }
}

/// At most `left` bytes, which become fewer by as many.
pub(super) fn take(buffer: &mut BytesMut, left: &mut u64) -> Bytes {
    let count = usize::try_from(*left).map_or(buffer.len(), |left| left.min(buffer.len()));
    *left -= count as u64;
    buffer.split_to(count).freeze()
}
