//! Bodies that come in chunks (RFC 9112 section 7.1).

use bytes::{Buf as _, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use httparse::{EMPTY_HEADER, Status};

use crate::connect::hop_by_hop;

use super::decoder::{Part, take};
use super::response::has_empty_line;

/// The longest line that tells a chunk's size, extensions included; they are passed over.
const LONGEST_LINE: usize = 4 << 10;

/// The largest trailers, and the most lines of them.
const LARGEST_TRAILERS: usize = 16 << 10;
const MOST_TRAILERS: usize = 100;

/// Takes chunks off what was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Chunks {
    /// Before the line that tells the size of a chunk.
    #[default]
    Size,
    /// So many bytes of a chunk are still to come.
    Data(u64),
    /// Before the end of the line after a chunk's data.
    DataEnd,
    /// After the last chunk.
    Trailers,
}

impl Chunks {
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Part, &'static str> {
        loop {
            match self {
                Self::Size => match take_size(buffer)? {
                    None => return Ok(Part::More),
                    Some(0) => *self = Self::Trailers,
                    Some(size) => *self = Self::Data(size),
                },
                Self::Data(_) if buffer.is_empty() => return Ok(Part::More),
                Self::Data(left) => {
                    let data = take(buffer, left);
                    if *left == 0 {
                        *self = Self::DataEnd;
                    }
                    return Ok(Part::Data(data));
                }
                Self::DataEnd if buffer.len() < 2 => return Ok(Part::More),
                Self::DataEnd if buffer.starts_with(b"\r\n") => {
                    buffer.advance(2);
                    *self = Self::Size;
                }
                Self::DataEnd => return Err("a chunk is longer than it said"),
                Self::Trailers => return take_trailers(buffer),
            }
        }
    }

    /// See [`Decoder::take_end`](super::decoder::Decoder::take_end).
    pub(super) fn take_end(&mut self, buffer: &mut BytesMut) -> bool {
        const LAST: &[u8] = b"\r\n0\r\n\r\n";
        let ends = *self == Self::DataEnd && buffer.starts_with(LAST);
        if ends {
            buffer.advance(LAST.len());
        }
        ends
    }
}

/// The size of the next chunk, once its line is there.
fn take_size(buffer: &mut BytesMut) -> Result<Option<u64>, &'static str> {
    let Some(end) = buffer
        .iter()
        .take(LONGEST_LINE)
        .position(|byte| *byte == b'\n')
    else {
        return match buffer.len() {
            ..LONGEST_LINE => Ok(None),
            _ => Err("the line of a chunk's size is too long"),
        };
    };
    let size = buffer[..end].strip_suffix(b"\r").and_then(size);
    buffer.advance(end + 1);
    size.map(Some).ok_or("the size of a chunk is not valid")
}

/// A line without its end: hexadecimal digits, and maybe extensions.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit());
    let (digits, rest) = line.split_at(digits.count());
    let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
    let plain = match rest[blank.count()..].first() {
        None => true,
        // A carriage return within them might end the line for somebody else.
        Some(b';') => !rest.contains(&b'\r'),
        Some(_) => false,
    };
    let digits = str::from_utf8(digits).ok()?;
    // No digits are no number, and more than fit are refused.
    plain.then(|| u64::from_str_radix(digits, 16).ok())?
}

fn take_trailers(buffer: &mut BytesMut) -> Result<Part, &'static str> {
    const INVALID: &str = "the trailers are not valid";
    if buffer.starts_with(b"\r\n") {
        buffer.advance(2);
        return Ok(Part::End(None));
    }
    if !has_empty_line(buffer) {
        return match buffer.len() {
            ..LARGEST_TRAILERS => Ok(Part::More),
            _ => Err("the trailers are too large"),
        };
    }
    let mut lines = [EMPTY_HEADER; MOST_TRAILERS];
    let (size, lines) = match httparse::parse_headers(buffer, &mut lines) {
        Ok(Status::Complete(parsed)) => parsed,
        Ok(Status::Partial) | Err(_) => return Err(INVALID),
    };
    let mut trailers = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| INVALID)?;
        let value = HeaderValue::from_bytes(line.value).map_err(|_| INVALID)?;
        trailers.append(name, value);
    }
    buffer.advance(size);
    hop_by_hop::strip_response(&mut trailers);
    Ok(Part::End(Some(trailers)))
}
