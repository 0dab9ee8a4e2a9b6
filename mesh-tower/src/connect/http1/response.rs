//! The head of a response, and how the end of its body is told.

use std::mem::MaybeUninit;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Response, StatusCode, Version, response};
use httparse::{Header, ParserConfig, Status};
use mesh_core::bounds::Bound;
use smallvec::SmallVec;

use crate::connect::{SendFailureKind, hop_by_hop};

use super::connection::Http1Settings;
use super::decoder::Decoder;
use super::length::content_length;

/// A final response without its body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) parts: response::Parts,
    pub(super) body: Decoder,
    /// Whether the peer keeps the connection for another request (RFC 9112 section 9.3).
    pub(super) keeps: bool,
}

/// Reads the head of the final response to one request; interim ones (1xx) are skipped.
#[derive(Debug)]
pub(super) struct AnswerReader {
    settings: Http1Settings,
    asked: Asked,
    /// So many bytes were looked at and hold no whole head.
    seen: usize,
}

/// What decides whether a response has a body (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Head,
    Connect,
    Other,
}

/// A head as far as it does not borrow from its bytes.
struct Outline {
    size: usize,
    status: u16,
    version: Version,
}

/// Where in the bytes of a head the names and the values of its headers are.
type Lines = SmallVec<[(Range<usize>, Range<usize>); 16]>;

/// What the headers say of the body and the connection.
#[derive(Default)]
struct Told {
    length: Option<u64>,
    chunked: bool,
    hop_by_hop: bool,
}

impl AnswerReader {
    pub(super) fn new(settings: Http1Settings, method: &Method) -> Self {
        let asked = match *method {
            Method::HEAD => Asked::Head,
            Method::CONNECT => Asked::Connect,
            _ => Asked::Other,
        };
        Self {
            settings,
            asked,
            seen: 0,
        }
    }

    /// Takes a head off `buffer`; nothing yet if it is not whole.
    pub(super) fn read(
        &mut self,
        buffer: &mut BytesMut,
    ) -> Result<Option<Answer>, SendFailureKind> {
        let most = self.settings.max_head.max(SMALLEST_LIMIT);
        let mut lines = Lines::new();
        while self.may_be_whole(buffer) {
            lines.clear();
            let Some(outline) = outline(buffer, self.settings.max_headers, &mut lines)? else {
                break;
            };
            if outline.size > most {
                return Err(too_large());
            }
            self.seen = 0;
            let head = buffer.split_to(outline.size).freeze();
            match outline.status {
                101 => return Err(protocol("the peer switched protocols unasked")),
                100..=199 => {}
                _ => return self.answer(&head, &outline, &lines).map(Some),
            }
        }
        self.seen = buffer.len();
        if self.seen > most {
            return Err(too_large());
        }
        Ok(None)
    }

    /// Whether an empty line came since the last look. Without this a head that drips in would be
    /// parsed once a byte.
    fn may_be_whole(&self, buffer: &BytesMut) -> bool {
        if self.seen == 0 {
            return !buffer.is_empty();
        }
        has_empty_line(&buffer[self.seen.saturating_sub(2)..])
    }

    fn answer(
        &self,
        head: &Bytes,
        outline: &Outline,
        lines: &Lines,
    ) -> Result<Answer, SendFailureKind> {
        let status = StatusCode::from_u16(outline.status)
            .map_err(|_| protocol("the status is not between 100 and 999"))?;
        let (mut headers, told) = headers(head, lines)?;
        let mut keeps = outline.version == Version::HTTP_11;
        if told.hop_by_hop {
            keeps = !hop_by_hop::connection_has(&headers, "close")
                && (keeps || hop_by_hop::connection_has(&headers, "keep-alive"));
            hop_by_hop::strip_response(&mut headers);
        }
        let body = told.body(self.asked, status, outline.version)?;
        // What CONNECT opens is not HTTP (RFC 9110 section 9.3.6).
        keeps &= body != Decoder::UntilClose && self.asked != Asked::Connect;
        let (mut parts, ()) = Response::new(()).into_parts();
        (parts.status, parts.version, parts.headers) = (status, outline.version, headers);
        Ok(Answer { parts, body, keeps })
    }
}

/// Whether a line that has begun before `bytes` or in them is followed by an empty one.
pub(super) fn has_empty_line(bytes: &[u8]) -> bool {
    bytes.windows(3).any(|end| end == b"\n\r\n") || bytes.windows(2).any(|end| end == b"\n\n")
}

/// No less is taken for a head, whatever the settings say.
const SMALLEST_LIMIT: usize = 8 << 10;

/// Room for the headers that a proxy adds to an answer: growing is dear.
const ADDED_LATER: usize = 4;

/// So many header lines have a place on the stack.
const USUAL_HEADERS: usize = 100;

/// Parses a head, if it is whole. Puts its headers to `lines`.
fn outline(
    buffer: &[u8],
    max_headers: usize,
    lines: &mut Lines,
) -> Result<Option<Outline>, SendFailureKind> {
    const NOTHING: MaybeUninit<Header<'_>> = MaybeUninit::uninit();
    let (mut few, mut many);
    let room: &mut [MaybeUninit<Header<'_>>] = if max_headers <= USUAL_HEADERS {
        few = [NOTHING; USUAL_HEADERS];
        &mut few[..max_headers]
    } else {
        many = vec![NOTHING; max_headers];
        &mut many
    };
    let mut response = httparse::Response::new(&mut []);
    let parsed =
        ParserConfig::default().parse_response_with_uninit_headers(&mut response, buffer, room);
    let size = match parsed {
        Ok(Status::Complete(size)) => size,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(too_large()),
        Err(error) => return Err(protocol(&error.to_string())),
    };
    let place = |part: &[u8]| {
        let start = part.as_ptr().addr() - buffer.as_ptr().addr();
        start..start + part.len()
    };
    let headers = response.headers.iter();
    lines.extend(headers.map(|it| (place(it.name.as_bytes()), place(it.value))));
    Ok(Some(Outline {
        size,
        status: response.code.unwrap_or_default(),
        version: match response.version {
            Some(0) => Version::HTTP_10,
            _ => Version::HTTP_11,
        },
    }))
}

fn headers(head: &Bytes, lines: &Lines) -> Result<(HeaderMap, Told), SendFailureKind> {
    let mut headers = HeaderMap::with_capacity(lines.len() + ADDED_LATER);
    let mut told = Told::default();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(&head[name.clone()])
            .map_err(|_| protocol("a header's name is not valid"))?;
        let value = HeaderValue::from_maybe_shared(head.slice(value.clone()))
            .map_err(|_| protocol("a header's value is not valid"))?;
        if told.hear(&name, &value)? {
            headers.append(name, value);
        }
    }
    Ok((headers, told))
}

impl Told {
    /// Gives whether the line is to be kept: a length that is told again is told once.
    fn hear(&mut self, name: &HeaderName, value: &HeaderValue) -> Result<bool, SendFailureKind> {
        if name == CONTENT_LENGTH {
            let first = self.length.is_none();
            self.length = content_length(self.length, value)
                .map_err(|()| protocol("the content-length is not a number"))?;
            return Ok(first);
        } else if name == TRANSFER_ENCODING {
            // Another coding would be lost with the header that tells of it, or hide where the body
            // ends.
            if self.chunked || !value.as_bytes().eq_ignore_ascii_case(b"chunked") {
                return Err(protocol("the transfer-encoding is not chunked"));
            }
            (self.chunked, self.hop_by_hop) = (true, true);
        } else if hop_by_hop::is_fixed(name) {
            self.hop_by_hop = true;
        }
        Ok(true)
    }

    /// How the body ends (RFC 9112 section 6.3), unless what is said of it cannot be: who reads it next
    /// might believe something else.
    fn body(
        &self,
        asked: Asked,
        status: StatusCode,
        version: Version,
    ) -> Result<Decoder, SendFailureKind> {
        if self.chunked && self.length.is_some() {
            return Err(protocol("the peer told a length and sent chunks"));
        }
        if self.chunked && version == Version::HTTP_10 {
            return Err(protocol("HTTP/1.0 has no transfer-encoding"));
        }
        let without = match status {
            // RFC 9110 section 8.6 and RFC 9112 section 6.1.
            StatusCode::NO_CONTENT if self.chunked || self.length.is_some_and(|it| it > 0) => {
                return Err(protocol("the peer told of a body that cannot be"));
            }
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => true,
            _ => asked == Asked::Head || asked == Asked::Connect && status.is_success(),
        };
        Ok(match self.length {
            _ if without => Decoder::Length(0),
            _ if self.chunked => Decoder::chunked(),
            Some(length) => Decoder::Length(length),
            None => Decoder::UntilClose,
        })
    }
}

fn protocol(text: &str) -> SendFailureKind {
    SendFailureKind::Protocol(text.into())
}

fn too_large() -> SendFailureKind {
    Bound::AnswerHead.exceeded();
    SendFailureKind::TooLarge
}
