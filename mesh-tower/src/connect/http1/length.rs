//! The length that a message tells.

use http::HeaderValue;

/// Reads a line of `content-length` after which `before` was said: lines have to agree (RFC 9110
/// section 8.6), and each is digits and nothing else.
pub(super) fn content_length(before: Option<u64>, line: &HeaderValue) -> Result<Option<u64>, ()> {
    let digits = line.as_bytes();
    if digits.is_empty() {
        return Err(());
    }
    let value = digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    });
    match (before, value) {
        (_, None) => Err(()),
        (Some(before), Some(value)) if before != value => Err(()),
        (_, value) => Ok(value),
    }
}
