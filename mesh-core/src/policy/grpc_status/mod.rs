//! gRPC status codes: their names, how they travel in headers, and what HTTP statuses, HTTP/2 resets
//! and the mesh's own errors are in gRPC.

mod codes;
mod message;

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

pub use self::{
    codes::GrpcCodes,
    message::{decode_message, encode_message},
};

/// The header or trailer that carries the code.
pub static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// The header or trailer that carries the message, percent-encoded.
pub static GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// A gRPC status code, 0 to 16.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrpcCode(u8);

/// Name and header text of each code, in order.
const NAMES: [(&str, &str); 17] = [
    ("OK", "0"),
    ("CANCELLED", "1"),
    ("UNKNOWN", "2"),
    ("INVALID_ARGUMENT", "3"),
    ("DEADLINE_EXCEEDED", "4"),
    ("NOT_FOUND", "5"),
    ("ALREADY_EXISTS", "6"),
    ("PERMISSION_DENIED", "7"),
    ("RESOURCE_EXHAUSTED", "8"),
    ("FAILED_PRECONDITION", "9"),
    ("ABORTED", "10"),
    ("OUT_OF_RANGE", "11"),
    ("UNIMPLEMENTED", "12"),
    ("INTERNAL", "13"),
    ("UNAVAILABLE", "14"),
    ("DATA_LOSS", "15"),
    ("UNAUTHENTICATED", "16"),
];

macro_rules! codes {
    ($($name:ident = $code:literal),* $(,)?) => {
        $(
            #[doc = concat!("Code ", stringify!($code), ".")]
            pub const $name: Self = Self($code);
        )*
    };
}

impl GrpcCode {
    codes! {
        OK = 0, CANCELLED = 1, UNKNOWN = 2, INVALID_ARGUMENT = 3, DEADLINE_EXCEEDED = 4,
        NOT_FOUND = 5, ALREADY_EXISTS = 6, PERMISSION_DENIED = 7, RESOURCE_EXHAUSTED = 8,
        FAILED_PRECONDITION = 9, ABORTED = 10, OUT_OF_RANGE = 11, UNIMPLEMENTED = 12,
        INTERNAL = 13, UNAVAILABLE = 14, DATA_LOSS = 15, UNAUTHENTICATED = 16,
    }

    /// The code of this number; a number that is no code is [`Self::UNKNOWN`], as gRPC reads it.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        if number <= 16 {
            Self(number as u8)
        } else {
            Self::UNKNOWN
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The name in capitals, as `UNAVAILABLE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        NAMES[self.0 as usize].0
    }

    /// The value of a `grpc-status` header.
    #[must_use]
    pub const fn header_value(self) -> HeaderValue {
        HeaderValue::from_static(NAMES[self.0 as usize].1)
    }

    /// The code in `grpc-status` of headers or trailers; `None` without that header, and
    /// [`Self::UNKNOWN`] when it holds anything but a code.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(&GRPC_STATUS)?.as_bytes();
        let number = match value {
            [ones @ b'0'..=b'9'] => u32::from(ones - b'0'),
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                u32::from(tens - b'0') * 10 + u32::from(ones - b'0')
            }
            _ => return Some(Self::UNKNOWN),
        };
        Some(Self::new(number))
    }

    /// What an HTTP status without a gRPC status means ("HTTP to gRPC status code mapping" of the
    /// gRPC specification, which 200 is not exempt from). Envoy maps its own answers, and gRFC A33
    /// injected faults, by the same table.
    #[must_use]
    pub const fn of_http(status: StatusCode) -> Self {
        match status.as_u16() {
            400 => Self::INTERNAL,
            401 => Self::UNAUTHENTICATED,
            403 => Self::PERMISSION_DENIED,
            404 => Self::UNIMPLEMENTED,
            429 | 502 | 503 | 504 => Self::UNAVAILABLE,
            _ => Self::UNKNOWN,
        }
    }

    /// What the code of an HTTP/2 RST_STREAM means ("Errors" of gRPC over HTTP/2). Codes that the
    /// table does not have are [`Self::UNKNOWN`].
    #[must_use]
    pub const fn of_reset(reason: u32) -> Self {
        match reason {
            // NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT,
            // FRAME_SIZE_ERROR, COMPRESSION_ERROR, CONNECT_ERROR
            0..=4 | 6 | 9 | 10 => Self::INTERNAL,
            // REFUSED_STREAM
            7 => Self::UNAVAILABLE,
            // CANCEL
            8 => Self::CANCELLED,
            // ENHANCE_YOUR_CALM
            11 => Self::RESOURCE_EXHAUSTED,
            // INADEQUATE_SECURITY
            12 => Self::PERMISSION_DENIED,
            _ => Self::UNKNOWN,
        }
    }

    /// This code when it comes from the control plane or from local machinery instead of the
    /// service: codes by which only a service may speak become [`Self::INTERNAL`], so that no
    /// application takes them for an answer (gRFC A54).
    #[must_use]
    pub const fn restricted(self) -> Self {
        match self {
            Self::OK
            | Self::INVALID_ARGUMENT
            | Self::NOT_FOUND
            | Self::ALREADY_EXISTS
            | Self::FAILED_PRECONDITION
            | Self::ABORTED
            | Self::OUT_OF_RANGE
            | Self::DATA_LOSS => Self::INTERNAL,
            code => code,
        }
    }
}

impl fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
