//! Bodies cut anywhere.

use bytes::BytesMut;
use http::HeaderMap;

use super::super::decoder::{Decoder, Part};

/// What a body gives, read in pieces of `size` bytes, and what follows it.
fn read(
    mut decoder: Decoder,
    text: &str,
    size: usize,
) -> Result<(String, Option<HeaderMap>, String), &'static str> {
    let (mut buffer, mut data) = (BytesMut::new(), String::new());
    let mut pieces = text.as_bytes().chunks(size);
    loop {
        match decoder.next(&mut buffer)? {
            Part::Data(part) => {
                data.push_str(str::from_utf8(&part).unwrap());
                if decoder.take_end(&mut buffer) {
                    break rest(data, None, &buffer, pieces);
                }
            }
            Part::End(trailers) => break rest(data, trailers, &buffer, pieces),
            Part::More => buffer.extend_from_slice(pieces.next().ok_or("cut off")?),
        }
    }
}

fn rest<'p>(
    data: String,
    trailers: Option<HeaderMap>,
    buffer: &[u8],
    pieces: impl Iterator<Item = &'p [u8]>,
) -> Result<(String, Option<HeaderMap>, String), &'static str> {
    let mut rest = buffer.to_vec();
    pieces.for_each(|piece| rest.extend_from_slice(piece));
    Ok((data, trailers, String::from_utf8(rest).unwrap()))
}

#[test]
fn bodies_are_the_same_however_they_are_cut() {
    let chunks = "3\r\nabc\r\n00A ; name=\"v\"\r\n0123456789\r\n";
    let cases = [
        (Decoder::Length(5), "hello".to_owned(), "hello", None),
        (Decoder::Length(0), String::new(), "", None),
        (
            Decoder::chunked(),
            format!("{chunks}0\r\n\r\n"),
            "abc0123456789",
            None,
        ),
        (
            Decoder::chunked(),
            format!("{chunks}000;last\r\n\r\n"),
            "abc0123456789",
            None,
        ),
        (Decoder::chunked(), "0\r\n\r\n".into(), "", None),
        (
            Decoder::chunked(),
            format!("{chunks}0\r\nx-sum: 9\r\nconnection: x-gone\r\nx-gone: 1\r\n\r\n"),
            "abc0123456789",
            Some("9"),
        ),
    ];
    for (decoder, text, data, sum) in cases {
        for size in 1..=text.len().max(1) {
            let fresh = match &decoder {
                Decoder::Length(length) => Decoder::Length(*length),
                _ => Decoder::chunked(),
            };
            let all = format!("{text}HTTP/1.1 next");
            let (read, trailers, rest) = read(fresh, &all, size).unwrap();
            assert_eq!(read, data, "{text} by {size}");
            assert_eq!(rest, "HTTP/1.1 next", "{text} by {size}");
            assert_eq!(trailers.is_some(), sum.is_some(), "{text} by {size}");
            if let (Some(trailers), Some(sum)) = (trailers, sum) {
                assert_eq!(trailers["x-sum"], sum);
                assert_eq!(trailers.len(), 1);
            }
        }
    }
}

#[test]
fn what_is_no_chunk_is_refused_however_it_is_cut() {
    for text in [
        "\r\nabc\r\n",
        ";x\r\n\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\na\r\n",
        "0x1\r\na\r\n",
        "1 2\r\na\r\n",
        "1\na\r\n",
        "1;a\rb\r\na\r\n",
        "1\r\r\na\r\n",
        "10000000000000000\r\n",
        "3\r\nabcd\r\n",
        "3\r\nabc0\r\n\r\n",
        "0\r\nno colon\r\n\r\n",
        "0\r\n folded: 1\r\n\r\n",
        "0\r\nx: \u{0}\r\n\r\n",
    ] {
        for size in 1..=text.len() {
            let refused = read(Decoder::chunked(), text, size).unwrap_err();
            assert_ne!(refused, "cut off", "{text:?} by {size}");
        }
    }
}

#[test]
fn a_cut_off_body_does_not_end() {
    let text = "3\r\nabc\r\n0\r\nx-sum: 9\r\n\r\n";
    for end in 0..text.len() {
        for size in [1, 5, 100] {
            let cut = read(Decoder::chunked(), &text[..end], size);
            assert_eq!(cut.unwrap_err(), "cut off", "{end} by {size}");
        }
    }
}

#[test]
fn lines_and_trailers_have_their_bounds() {
    let line = format!("1;{}", "x".repeat(4 << 10));
    assert!(
        read(Decoder::chunked(), &line, 64)
            .unwrap_err()
            .contains("too long")
    );
    let trailers = format!("0\r\n{}", "x-long: 0123456789\r\n".repeat(1000));
    assert!(
        read(Decoder::chunked(), &trailers, 64)
            .unwrap_err()
            .contains("too large")
    );
    let many = format!("0\r\n{}\r\n", "x: 1\r\n".repeat(101));
    assert!(read(Decoder::chunked(), &many, 64).is_err());
    let fits = format!("0\r\n{}\r\n", "x: 1\r\n".repeat(100));
    let (_, trailers, _) = read(Decoder::chunked(), &fits, 64).unwrap();
    assert_eq!(trailers.unwrap().len(), 100);
}
