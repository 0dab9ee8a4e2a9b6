//! Domains of virtual hosts, and authorities near them.

use mesh_testkit::Seeded;

use super::word;

const LABELS: [&str; 5] = ["a", "b", "ab", "x", "A"];
const JOINTS: [&str; 4] = [".", ".", ".", "-"];
const PORTS: [&str; 3] = [":80", ":8080", ":443"];

/// A domain, or a pattern of domains.
pub(super) fn domain(random: &mut Seeded) -> String {
    let name = name(random);
    match random.in_range(0..100) {
        0..35 => name,
        35..45 => name + word(random, &PORTS),
        45..70 => format!("*{}{name}", word(random, &[".", ".", "-", ""])),
        70..88 => format!("{name}{}*", word(random, &[".", ".", "-", "", ":"])),
        88..96 => "*".to_owned(),
        96..98 => format!("*{name}*"),
        _ => format!("a.*.{name}"),
    }
}

/// An authority that `domain` takes, or nearly.
pub(super) fn authority(random: &mut Seeded, domain: &str) -> String {
    let mut filled = String::new();
    for letter in domain.chars() {
        match letter {
            '*' if random.percent(94) => filled.push_str(&name(random)),
            '*' => {}
            other => filled.push(other),
        }
    }
    match random.in_range(0..100) {
        0..60 => {}
        60..66 => filled = filled.to_ascii_uppercase(),
        66..74 => filled.push_str(word(random, &PORTS)),
        74..78 => filled.push('.'),
        78..84 => filled = format!("{}.{filled}", word(random, &LABELS)),
        84..90 => {
            let rest = filled.split_once('.').map(|(_, rest)| rest.to_owned());
            filled = rest.unwrap_or(filled);
        }
        90..95 => {
            let rest = filled.split_once(':').map(|(rest, _)| rest.to_owned());
            filled = rest.unwrap_or(filled);
        }
        95..97 => filled.push(':'),
        _ => filled = name(random),
    }
    // None at all is another matter.
    match filled.trim_start_matches('.') {
        "" => "a".to_owned(),
        rest if rest.starts_with([':', '-']) => format!("a{rest}"),
        rest => rest.to_owned(),
    }
}

/// Some labels.
pub(super) fn name(random: &mut Seeded) -> String {
    let mut name = word(random, &LABELS).to_owned();
    for _ in 0..random.in_range(0..3) {
        name.push_str(word(random, &JOINTS));
        name.push_str(word(random, &LABELS));
    }
    name
}
