//! A message of any type, with the type's name beside it.

use std::error::Error;
use std::fmt;

use bytes::Bytes;
use prost::{DecodeError, Message};

use crate::type_url::{TypeUrl, full_name};

/// `google.protobuf.Any`, on the wire the same as prost's.
///
/// Decoded from [`Bytes`], its value is a view of that buffer and not a copy.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Any {
    /// Names the type, for example `type.googleapis.com/envoy.config.cluster.v3.Cluster`.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The encoded message.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

impl Any {
    /// Encodes `message`, under its type URL.
    #[must_use]
    pub fn pack<T: TypeUrl>(message: &T) -> Self {
        Self {
            type_url: T::TYPE_URL.to_owned(),
            value: message.encode_to_vec().into(),
        }
    }

    /// Whether this holds a `T`. Only the part of the type URL after its last slash counts.
    #[must_use]
    pub fn is<T: TypeUrl>(&self) -> bool {
        self.full_name() == T::full_name()
    }

    /// The full name of the message inside: the type URL's part after the last slash.
    #[must_use]
    pub fn full_name(&self) -> &str {
        full_name(&self.type_url)
    }

    /// Decodes the message inside. Its own `Any` and `Bytes` fields share this value's buffer.
    ///
    /// # Errors
    /// [`UnpackError::WrongType`] if this does not hold a `T`, [`UnpackError::Malformed`] if the
    /// value does not decode as one.
    pub fn unpack<T: TypeUrl>(&self) -> Result<T, UnpackError> {
        if !self.is::<T>() {
            let found = self.type_url.clone();
            return Err(UnpackError::WrongType {
                expected: T::TYPE_URL,
                found,
            });
        }
        T::decode(self.value.clone()).map_err(|source| UnpackError::Malformed {
            type_url: T::TYPE_URL,
            source,
        })
    }
}

/// Why an [`Any`] could not be unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnpackError {
    /// It holds a message of another type.
    WrongType {
        /// The type URL of the message asked for.
        expected: &'static str,
        /// The type URL in the `Any`; empty if it names none.
        found: String,
    },
    /// The value is not an encoded message of its type.
    Malformed {
        /// The type URL of the message asked for.
        type_url: &'static str,
        /// What is wrong with the bytes.
        source: DecodeError,
    },
}

impl fmt::Display for UnpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType { expected, found } if found.is_empty() => {
                write!(f, "expected {expected}, found no type URL")
            }
            Self::WrongType { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::Malformed { type_url, .. } => write!(f, "malformed {type_url}"),
        }
    }
}

impl Error for UnpackError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::WrongType { .. } => None,
            Self::Malformed { source, .. } => Some(source),
        }
    }
}

#[cfg(test)]
mod tests;
