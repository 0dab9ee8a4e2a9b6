//! Bytes that wait to be written.

use std::io::IoSlice;

use bytes::{Buf as _, Bytes};
use http::{HeaderName, HeaderValue};

/// So much data is rather copied than written from where it is.
const COPIED: usize = 1 << 10;

/// No more is put together than this.
const FLAT: usize = 16 << 10;

/// Written in the order of the fields.
#[derive(Debug, Default)]
pub(super) struct Out {
    /// From `written` on.
    flat: Vec<u8>,
    written: usize,
    data: Bytes,
    after: &'static [u8],
    /// Whether some of the message has been written.
    begun: bool,
}

impl Out {
    pub(super) fn is_empty(&self) -> bool {
        self.written == self.flat.len() && self.is_flat()
    }

    /// Whether more may be put to it.
    pub(super) fn has_room(&self) -> bool {
        self.flat.len() < FLAT && self.is_flat()
    }

    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Where the head of the next message goes.
    pub(super) fn begin(&mut self) -> &mut Vec<u8> {
        self.begun = false;
        &mut self.flat
    }

    /// Only where there is room.
    pub(super) fn push(&mut self, data: Bytes, after: &'static [u8]) {
        if data.len() <= COPIED {
            self.flat.extend_from_slice(&data);
            self.flat.extend_from_slice(after);
        } else {
            (self.data, self.after) = (data, after);
        }
    }

    pub(super) fn begin_chunk(&mut self, size: usize) {
        self.flat
            .extend_from_slice(format!("{size:x}\r\n").as_bytes());
    }

    pub(super) fn end_chunks<'t>(
        &mut self,
        trailers: impl Iterator<Item = (&'t HeaderName, &'t HeaderValue)>,
    ) {
        self.flat.extend_from_slice(b"0\r\n");
        for (name, value) in trailers {
            line(&mut self.flat, name, value.as_bytes());
        }
        self.flat.extend_from_slice(b"\r\n");
    }

    pub(super) fn slices(&self) -> [IoSlice<'_>; 3] {
        [&self.flat[self.written..], &*self.data, self.after].map(IoSlice::new)
    }

    pub(super) fn advance(&mut self, written: usize) {
        self.begun = true;
        let mut left = written;
        let mut of = |there: usize| {
            let part = left.min(there);
            left -= part;
            part
        };
        self.written += of(self.flat.len() - self.written);
        self.data.advance(of(self.data.len()));
        self.after = &self.after[of(self.after.len())..];
        if self.written == self.flat.len() {
            self.flat.clear();
            self.written = 0;
        }
    }

    /// Keeps at most so much room.
    pub(super) fn rest(&mut self, kept: usize) {
        if self.flat.capacity() > kept {
            self.flat = Vec::new();
        }
    }

    fn is_flat(&self) -> bool {
        self.data.is_empty() && self.after.is_empty()
    }
}

/// Writes a header line.
pub(super) fn line(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
