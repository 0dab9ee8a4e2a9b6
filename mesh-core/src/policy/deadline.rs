//! Deadlines of a whole exchange: the `grpc-timeout` header and the limits of a route.

use std::{cell::RefCell, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::{GrpcTimeoutRule, StreamTimeouts};

/// The header in which a gRPC caller says how long it will wait.
pub static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The units of the header, finest first, in nanoseconds (gRPC over HTTP/2, "Timeout").
const UNITS: [(u8, u64); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// The largest number the header can carry: eight digits.
const LARGEST: u64 = 99_999_999;

/// The largest of three significant digits.
const LARGEST_ROUND: u64 = 99_900_000;

/// How long the caller will wait, by the first `grpc-timeout` line: at most eight digits and a unit
/// of `HMSmun`. Zero is a deadline that has passed. `None` without the header and for anything
/// malformed, which counts as no header (gRPC over HTTP/2; Envoy).
#[must_use]
pub fn parse_grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let (unit, digits) = headers.get(&GRPC_TIMEOUT)?.as_bytes().split_last()?;
    let (_, nanos) = UNITS.iter().find(|(letter, _)| letter == unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits
        .iter()
        .fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    let nanos = u128::from(number) * u128::from(*nanos);
    // At most 99,999,999 hours: the seconds fit 64 bits, the rest is below a second.
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    let rest = u32::try_from(nanos % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, rest))
}

/// `timeout` as a `grpc-timeout` header: three significant digits, in the finest unit that eight
/// digits can carry, rounded up, so that the other side never gives up before we do. What is above
/// 99,999,999 hours is that.
///
/// As coarse as gRPC's C-core has it, and for its reason: calls with the same limit say the same, which
/// costs one byte where header compression knows it, and here no allocation.
#[must_use]
pub fn format_grpc_timeout(timeout: Duration) -> HeaderValue {
    let (number, unit) = rounded(timeout);
    // A thread that ends has none left.
    let known = LAST.try_with(|last| match &*last.borrow() {
        Some((of, value)) if *of == (number, unit) => Some(value.clone()),
        _ => None,
    });
    if let Ok(Some(value)) = known {
        return value;
    }
    let value = written(number, unit);
    let _ = LAST.try_with(|last| last.replace(Some(((number, unit), value.clone()))));
    value
}

thread_local! {
    /// What this thread wrote last.
    static LAST: RefCell<Option<((u64, u8), HeaderValue)>> = const { RefCell::new(None) };
}

/// A number of at most eight digits, of which three count, and its unit.
fn rounded(timeout: Duration) -> (u64, u8) {
    // 64 bits hold 584 years of nanoseconds; what is above them is counted in hours.
    let Ok(nanos) = u64::try_from(timeout.as_nanos()) else {
        let hours = three_digits(timeout.as_secs().div_ceil(3_600));
        return (hours.min(LARGEST), b'H');
    };
    let fits = |&&(_, unit): &&(u8, u64)| nanos <= LARGEST_ROUND.saturating_mul(unit);
    match UNITS.iter().find(fits) {
        Some(&(letter, unit)) => (three_digits(nanos.div_ceil(unit)), letter),
        None => (LARGEST, b'H'),
    }
}

/// The next number from `number` on that has three significant digits.
const fn three_digits(number: u64) -> u64 {
    let mut step = 1;
    while number > 999 * step {
        step *= 10;
    }
    number.div_ceil(step).saturating_mul(step)
}

fn written(mut number: u64, unit: u8) -> HeaderValue {
    let mut text = [unit; 9];
    let mut first = text.len() - 1;
    while first > 0 {
        first -= 1;
        text[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    // Digits and a letter are always a header; the fallback is never taken.
    HeaderValue::from_bytes(&text[first..]).unwrap_or(HeaderValue::from_static("99999999H"))
}

/// How long the exchange may take from the request's arrival, over all attempts; `None`: as long as
/// it likes, zero: not at all.
///
/// - [`GrpcTimeoutRule::Always`] (gRFC A31): the header, and no longer than the route's limit, which
///   is `grpc_timeout_max` if set and else `max_stream_duration`; a limit of zero is none and hides
///   what comes after it.
/// - [`GrpcTimeoutRule::WhenCapped`] (Envoy, `max_stream_duration` of a route): where a cap is set
///   and the header is there, the header, cut to a cap above zero and then less the offset, and
///   nothing else. Otherwise `max_stream_duration`, unless it is zero.
#[must_use]
pub fn stream_limit(timeouts: &StreamTimeouts, headers: &HeaderMap) -> Option<Duration> {
    match timeouts.grpc_timeout {
        GrpcTimeoutRule::Always => {
            let limit = timeouts.grpc_timeout_max.or(timeouts.max_stream_duration);
            earlier(above_zero(limit), parse_grpc_timeout(headers))
        }
        GrpcTimeoutRule::WhenCapped => {
            let header = timeouts
                .grpc_timeout_max
                .and_then(|cap| Some((cap, parse_grpc_timeout(headers)?)));
            match header {
                Some((cap, asked)) => {
                    let allowed = above_zero(Some(cap)).map_or(asked, |cap| asked.min(cap));
                    Some(allowed.saturating_sub(timeouts.grpc_timeout_offset))
                }
                None => above_zero(timeouts.max_stream_duration),
            }
        }
    }
}

/// The shorter of two limits of which either may be missing; for a caller that has a deadline of
/// its own beside the route's.
#[must_use]
pub fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn above_zero(limit: Option<Duration>) -> Option<Duration> {
    limit.filter(|limit| !limit.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn header(value: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(&GRPC_TIMEOUT, HeaderValue::from_bytes(value).unwrap());
        headers
    }

    #[test]
    fn the_header_is_read_by_the_letter() {
        let cases: [(&[u8], Option<Duration>); 20] = [
            (b"1H", Some(secs(3_600))),
            (b"2M", Some(secs(120))),
            (b"3S", Some(secs(3))),
            (b"4m", Some(Duration::from_millis(4))),
            (b"5u", Some(Duration::from_micros(5))),
            (b"6n", Some(Duration::from_nanos(6))),
            (b"0n", Some(Duration::ZERO)),
            (b"00000007S", Some(secs(7))),
            (b"99999999n", Some(Duration::from_nanos(99_999_999))),
            (b"99999999H", Some(secs(99_999_999 * 3_600))),
            (b"100000000n", None),
            (b"", None),
            (b"S", None),
            (b"7", None),
            (b"1s", None),
            (b"-1S", None),
            (b"+1S", None),
            (b"1.5S", None),
            (b" 1S", None),
            (b"1S\xff", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_grpc_timeout(&header(text)), expected, "{text:?}");
        }
        assert_eq!(parse_grpc_timeout(&HeaderMap::new()), None);
    }

    #[test]
    fn the_header_is_written_in_the_finest_unit_and_rounded_up() {
        let cases = [
            (Duration::ZERO, "0n"),
            (Duration::from_nanos(999), "999n"),
            (Duration::from_nanos(1_001), "1010n"),
            (Duration::from_nanos(99_800_001), "99900000n"),
            (Duration::from_nanos(99_900_001), "100000u"),
            (Duration::from_nanos(100_000_001), "101000u"),
            (Duration::from_nanos(14_999_876_543), "15000000u"),
            (secs(1), "1000000u"),
            (secs(100), "100000m"),
            (secs(100_000), "100000S"),
            (secs(99_999_999), "1670000M"),
            (secs(60 * 100_000_000), "1670000H"),
            (secs(3_600 * 99_900_001), "99999999H"),
            (Duration::MAX, "99999999H"),
        ];
        // Twice: what was written last is not written anew.
        for (timeout, expected) in cases.into_iter().flat_map(|case| [case, case]) {
            let value = format_grpc_timeout(timeout);
            assert_eq!(value, expected, "{timeout:?}");
            let read = parse_grpc_timeout(&header(value.as_bytes())).unwrap();
            assert!(read >= timeout || expected == "99999999H", "{timeout:?}");
        }
    }

    /// (max_stream_duration, grpc_timeout_max, offset, header, limit), seconds.
    type Row = (
        Option<u64>,
        Option<u64>,
        u64,
        Option<&'static str>,
        Option<u64>,
    );

    fn check(rule: GrpcTimeoutRule, rows: &[Row]) {
        for row @ &(duration, cap, offset, header_text, expected) in rows {
            let timeouts = StreamTimeouts {
                max_stream_duration: duration.map(secs),
                grpc_timeout_max: cap.map(secs),
                grpc_timeout_offset: secs(offset),
                grpc_timeout: rule,
            };
            let headers = header_text.map_or_else(HeaderMap::new, |text| header(text.as_bytes()));
            let limit = stream_limit(&timeouts, &headers);
            assert_eq!(limit, expected.map(secs), "{row:?}");
        }
    }

    #[test]
    fn grpc_takes_the_shorter_of_the_callers_and_the_routes() {
        let rows = [
            (None, None, 0, None, None),
            (None, None, 0, Some("5S"), Some(5)),
            (Some(3), None, 0, None, Some(3)),
            (Some(3), None, 0, Some("5S"), Some(3)),
            (Some(3), None, 0, Some("1S"), Some(1)),
            (Some(0), None, 0, Some("1S"), Some(1)),
            (Some(0), None, 0, None, None),
            (Some(3), Some(9), 0, None, Some(9)),
            (Some(3), Some(9), 0, Some("20S"), Some(9)),
            (Some(3), Some(0), 0, None, None),
            (Some(3), Some(0), 0, Some("20S"), Some(20)),
            (None, Some(9), 2, Some("5S"), Some(5)),
            (Some(3), None, 0, Some("nonsense"), Some(3)),
            (Some(3), None, 0, Some("0S"), Some(0)),
        ];
        check(GrpcTimeoutRule::Always, &rows);
    }

    #[test]
    fn envoy_obeys_the_header_only_where_a_cap_is_set() {
        let rows = [
            (None, None, 0, Some("5S"), None),
            (Some(3), None, 0, Some("1S"), Some(3)),
            (Some(0), None, 0, Some("1S"), None),
            (Some(3), Some(9), 0, None, Some(3)),
            (None, Some(9), 0, None, None),
            (Some(3), Some(9), 0, Some("20S"), Some(9)),
            (Some(3), Some(9), 0, Some("5S"), Some(5)),
            (Some(3), Some(0), 0, Some("20S"), Some(20)),
            (None, Some(9), 2, Some("20S"), Some(7)),
            (None, Some(9), 2, Some("5S"), Some(3)),
            (None, Some(9), 2, Some("2S"), Some(0)),
            (None, Some(0), 2, Some("1S"), Some(0)),
            (Some(3), Some(9), 0, Some("nonsense"), Some(3)),
        ];
        check(GrpcTimeoutRule::WhenCapped, &rows);
    }

    #[test]
    fn the_earlier_of_two_limits_wins() {
        assert_eq!(earlier(None, None), None);
        assert_eq!(earlier(Some(secs(1)), None), Some(secs(1)));
        assert_eq!(earlier(None, Some(secs(2))), Some(secs(2)));
        assert_eq!(earlier(Some(secs(3)), Some(secs(2))), Some(secs(2)));
    }
}
