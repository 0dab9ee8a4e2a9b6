use super::*;
use crate::{
    config::Dialect,
    entropy::Entropy,
    error::{Error, ErrorKind},
};

#[test]
fn codes_have_numbers_names_and_header_values() {
    for number in 0..=16 {
        let code = GrpcCode::new(number);
        assert_eq!(u32::from(code.number()), number);
        assert_eq!(code.header_value(), number.to_string().as_str());
    }
    assert_eq!(GrpcCode::new(17), GrpcCode::UNKNOWN);
    assert_eq!(GrpcCode::new(u32::MAX), GrpcCode::UNKNOWN);
    assert_eq!(GrpcCode::UNAVAILABLE.to_string(), "UNAVAILABLE");
    assert_eq!(format!("{:?}", GrpcCode::new(4)), "DEADLINE_EXCEEDED");
}

#[test]
fn the_header_is_a_code_or_unknown() {
    let cases: [(&[u8], GrpcCode); 11] = [
        (b"0", GrpcCode::OK),
        (b"7", GrpcCode::PERMISSION_DENIED),
        (b"16", GrpcCode::UNAUTHENTICATED),
        (b"07", GrpcCode::PERMISSION_DENIED),
        (b"17", GrpcCode::UNKNOWN),
        (b"99", GrpcCode::UNKNOWN),
        (b"100", GrpcCode::UNKNOWN),
        (b"-1", GrpcCode::UNKNOWN),
        (b"", GrpcCode::UNKNOWN),
        (b"OK", GrpcCode::UNKNOWN),
        (b"\xff", GrpcCode::UNKNOWN),
    ];
    for (text, expected) in cases {
        let mut headers = HeaderMap::new();
        headers.insert(&GRPC_STATUS, HeaderValue::from_bytes(text).unwrap());
        assert_eq!(GrpcCode::read(&headers), Some(expected), "{text:?}");
    }
    assert_eq!(GrpcCode::read(&HeaderMap::new()), None);
}

#[test]
fn http_statuses_map_to_codes() {
    let cases = [
        (200, GrpcCode::UNKNOWN),
        (301, GrpcCode::UNKNOWN),
        (400, GrpcCode::INTERNAL),
        (401, GrpcCode::UNAUTHENTICATED),
        (403, GrpcCode::PERMISSION_DENIED),
        (404, GrpcCode::UNIMPLEMENTED),
        (409, GrpcCode::UNKNOWN),
        (429, GrpcCode::UNAVAILABLE),
        (500, GrpcCode::UNKNOWN),
        (502, GrpcCode::UNAVAILABLE),
        (503, GrpcCode::UNAVAILABLE),
        (504, GrpcCode::UNAVAILABLE),
        (505, GrpcCode::UNKNOWN),
    ];
    for (status, expected) in cases {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(GrpcCode::of_http(status), expected, "{status}");
    }
}

#[test]
fn resets_map_to_codes() {
    use GrpcCode as C;
    let expected = [
        C::INTERNAL,           // NO_ERROR
        C::INTERNAL,           // PROTOCOL_ERROR
        C::INTERNAL,           // INTERNAL_ERROR
        C::INTERNAL,           // FLOW_CONTROL_ERROR
        C::INTERNAL,           // SETTINGS_TIMEOUT
        C::UNKNOWN,            // STREAM_CLOSED
        C::INTERNAL,           // FRAME_SIZE_ERROR
        C::UNAVAILABLE,        // REFUSED_STREAM
        C::CANCELLED,          // CANCEL
        C::INTERNAL,           // COMPRESSION_ERROR
        C::INTERNAL,           // CONNECT_ERROR
        C::RESOURCE_EXHAUSTED, // ENHANCE_YOUR_CALM
        C::PERMISSION_DENIED,  // INADEQUATE_SECURITY
        C::UNKNOWN,            // HTTP_1_1_REQUIRED
    ];
    for (reason, code) in (0..).zip(expected) {
        assert_eq!(GrpcCode::of_reset(reason), code, "reason {reason}");
    }
    assert_eq!(GrpcCode::of_reset(u32::MAX), C::UNKNOWN);
}

#[test]
fn codes_of_a_service_alone_are_restricted() {
    let kept: Vec<u8> = (0..=16)
        .map(GrpcCode::new)
        .filter(|code| code.restricted() == *code)
        .map(GrpcCode::number)
        .collect();
    assert_eq!(kept, [1, 2, 4, 7, 8, 12, 13, 14, 16]);
    for number in [0, 3, 5, 6, 9, 10, 11, 15] {
        assert_eq!(GrpcCode::new(number).restricted(), GrpcCode::INTERNAL);
    }
}

#[test]
fn dialects_differ_on_routes_timeouts_and_resets() {
    let codes = |error: Error| {
        [Dialect::Grpc, Dialect::Envoy].map(|dialect| GrpcCodes::of(dialect).of_error(&error))
    };
    let reset = |reason| Error::from(ErrorKind::Reset).with_h2_reason(reason);
    let cases = [
        (
            ErrorKind::NoRoute.into(),
            [GrpcCode::UNAVAILABLE, GrpcCode::UNIMPLEMENTED],
        ),
        (
            ErrorKind::RouteTimeout.into(),
            [GrpcCode::DEADLINE_EXCEEDED, GrpcCode::UNAVAILABLE],
        ),
        (
            ErrorKind::StreamDeadline.into(),
            [GrpcCode::DEADLINE_EXCEEDED; 2],
        ),
        (ErrorKind::Reset.into(), [GrpcCode::UNAVAILABLE; 2]),
        (reset(7), [GrpcCode::UNAVAILABLE; 2]),
        (reset(2), [GrpcCode::INTERNAL, GrpcCode::UNAVAILABLE]),
        (reset(8), [GrpcCode::CANCELLED, GrpcCode::UNAVAILABLE]),
    ];
    for (error, expected) in cases {
        let shown = format!("{error:?}");
        assert_eq!(codes(error), expected, "{shown}");
    }
}

#[test]
fn no_error_of_ours_has_a_code_of_a_service() {
    for dialect in [Dialect::Grpc, Dialect::Envoy] {
        for &kind in ErrorKind::ALL {
            let code = GrpcCodes::of(dialect).of_error(&kind.into());
            assert_eq!(code.restricted(), code, "{kind:?}");
        }
    }
}

#[test]
fn messages_are_percent_encoded() {
    let cases = [
        ("", ""),
        ("plain ~ text!", "plain ~ text!"),
        ("100%", "100%25"),
        ("a\nb", "a%0Ab"),
        ("grün", "gr%C3%BCn"),
        ("\u{7f}\0", "%7F%00"),
    ];
    for (text, encoded) in cases {
        let value = encode_message(text);
        assert_eq!(value, encoded);
        assert_eq!(decode_message(&value), text);
    }
}

#[test]
fn a_broken_message_is_shown_as_well_as_it_goes() {
    let cases: [(&[u8], &str); 7] = [
        (b"50%", "50%"),
        (b"50%2", "50%2"),
        (b"%zz%41", "%zzA"),
        (b"%%41", "%A"),
        (b"%c3%bc%C3%BC", "üü"),
        (b"%ff", "\u{fffd}"),
        (b"\xff", "\u{fffd}"),
    ];
    for (encoded, text) in cases {
        let value = HeaderValue::from_bytes(encoded).unwrap();
        assert_eq!(decode_message(&value), text, "{encoded:?}");
    }
}

#[test]
fn every_message_survives() {
    let seed = 3;
    let entropy = Entropy::seeded(seed);
    let alphabet: Vec<char> = "aZ09 ~%%%\u{0}\n\u{7f}ü\u{20ac}\u{1f600}".chars().collect();
    for _ in 0..2_000 {
        let length = entropy.draw() % 20;
        let letter = |_| alphabet[usize::try_from(entropy.draw()).unwrap() % alphabet.len()];
        let text: String = (0..length).map(letter).collect();
        let value = encode_message(&text);
        let printable = value
            .as_bytes()
            .iter()
            .all(|byte| (b' '..=b'~').contains(byte));
        assert!(printable, "seed {seed}: {text:?}");
        assert_eq!(decode_message(&value), text, "seed {seed}");
    }
}
