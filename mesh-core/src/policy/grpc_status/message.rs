//! `grpc-message`: percent-encoded text (gRPC over HTTP/2, "Responses").

use std::{borrow::Cow, fmt::Write};

use http::HeaderValue;

/// `message` as the value of a `grpc-message` header: printable ASCII but `%` as it is, every other
/// byte as `%XX`.
#[must_use]
pub fn encode_message(message: &str) -> HeaderValue {
    let encoded = if message.bytes().all(is_plain) {
        Cow::Borrowed(message)
    } else {
        let mut text = String::with_capacity(message.len() + 16);
        for byte in message.bytes() {
            if is_plain(byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
        Cow::Owned(text)
    };
    // Printable ASCII is always a header; the fallback is never taken.
    HeaderValue::from_str(&encoded).unwrap_or(HeaderValue::from_static(""))
}

/// The text of a `grpc-message` header. A percent sign without two hexadecimal digits behind it
/// stays as it is, and what is no UTF-8 is replaced: a bad message never hides the status.
#[must_use]
pub fn decode_message(value: &HeaderValue) -> Cow<'_, str> {
    let encoded = value.as_bytes();
    if !encoded.contains(&b'%') {
        return String::from_utf8_lossy(encoded);
    }
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [first, behind @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (first, behind)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(*first);
            rest = behind;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'%'
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}
