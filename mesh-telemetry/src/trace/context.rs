//! Trace context as the W3C has it ("Trace Context" level 2): the headers `traceparent` and
//! `tracestate`.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Which trace, which span, and whether it is recorded.
pub(super) static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// What tracing systems add to it, in their own words.
pub(super) static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Its trace is recorded.
const SAMPLED: u8 = 0b01;
/// Its trace id is random.
const RANDOM: u8 = 0b10;

/// The place of a request in a trace, as `traceparent` says it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// What a request brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// No `traceparent`.
    None,
    /// One that says nothing, or several.
    Malformed,
    /// A trace.
    Of(TraceContext),
}

impl Incoming {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(&TRACEPARENT).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::None,
            (Some(value), None) => {
                TraceContext::parse(value.as_bytes()).map_or(Self::Malformed, Self::Of)
            }
            (Some(_), Some(_)) => Self::Malformed,
        }
    }
}

impl TraceContext {
    /// Reads the value of a `traceparent`. What a later version than `00` adds behind is left out,
    /// and flags that are not known are not set (section "Versioning of traceparent").
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let [version, rest @ ..] = fields(value)?;
        let [trace_id, span_id, flags] = rest;
        let version = hex(version)?;
        let longer = value.len() > LEN;
        if version == 0xff || (version == 0 && longer) || (longer && value[LEN] != b'-') {
            return None;
        }
        let context = Self {
            trace_id: hex(trace_id)?,
            span_id: u64::try_from(hex(span_id)?).ok()?,
            flags: u8::try_from(hex(flags)?).ok()? & (SAMPLED | RANDOM),
        };
        (context.trace_id != 0 && context.span_id != 0).then_some(context)
    }

    /// The beginning of a new trace.
    pub(super) fn root(sampled: bool) -> Self {
        Self {
            trace_id: fastrand::u128(1..),
            span_id: fastrand::u64(1..),
            flags: if sampled { SAMPLED | RANDOM } else { RANDOM },
        }
    }

    /// Another span of the same trace.
    pub(super) fn child(self) -> Self {
        Self {
            span_id: fastrand::u64(1..),
            ..self
        }
    }

    /// The trace, in 32 digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The span, in 16 digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span_id)
    }

    /// Whether the caller says that the trace is recorded.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    pub(super) fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(self.to_string()).ok()
    }
}

impl fmt::Display for TraceContext {
    /// The value of a `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace_id,
            span_id,
            flags,
        } = self;
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{flags:02x}")
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The length of a `traceparent` of version 00.
const LEN: usize = 55;

/// Version, trace id, span id, flags, if they are where they belong.
fn fields(value: &[u8]) -> Option<[&[u8]; 4]> {
    let fields = [
        value.get(..2)?,
        value.get(3..35)?,
        value.get(36..52)?,
        value.get(53..LEN)?,
    ];
    let dashes = [2, 35, 52].iter().all(|&at| value[at] == b'-');
    dashes.then_some(fields)
}

/// Digits in lower case alone.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some((number << 4) | u128::from(digit))
    })
}
