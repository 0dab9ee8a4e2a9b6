//! Names, labels and values as Prometheus' text format (0.0.4) has them.

use std::{collections::BTreeMap, fmt::Write, sync::atomic::Ordering};

use metrics::{Label, Unit};

use super::{cell::Cell, registry::Family};
use crate::table::MetricKind;

/// A metric's name in the letters that are allowed: others become underscores.
pub(super) fn name(name: &str) -> String {
    allowed(name, |letter| letter == ':')
}

fn allowed(text: &str, also: impl Fn(char) -> bool) -> String {
    let mut name = String::with_capacity(text.len() + 1);
    if !text.starts_with(|first: char| !first.is_ascii_digit()) {
        name.push('_');
    }
    name.extend(text.chars().map(|letter| {
        let fine = letter.is_ascii_alphanumeric() || letter == '_' || also(letter);
        if fine { letter } else { '_' }
    }));
    name
}

/// The labels as they stand in braces, in order. One without a value is the same as none; of two that
/// are called the same, the first counts. A histogram has a label of its own, `le`.
pub(super) fn labels<'a>(labels: impl Iterator<Item = &'a Label>, kind: MetricKind) -> String {
    let mut sorted = BTreeMap::new();
    for label in labels.filter(|label| !label.value().is_empty()) {
        let mut name = allowed(label.key(), |_| false);
        if kind == MetricKind::Histogram && name == "le" {
            name.insert_str(0, "exported_");
        }
        sorted.entry(name).or_insert_with(|| label.value());
    }
    let mut text = String::new();
    for (name, value) in sorted {
        let separator = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{separator}{name}=\"");
        escape(&mut text, value, true);
        text.push('"');
    }
    text
}

fn escape(into: &mut String, text: &str, quotes: bool) {
    for letter in text.chars() {
        match letter {
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '"' if quotes => into.push_str("\\\""),
            letter => into.push(letter),
        }
    }
}

/// The name on the page: unit and kind are part of it.
pub(super) fn page_name(name: &str, kind: MetricKind, unit: Option<Unit>) -> String {
    let mut name = name.to_owned();
    let unit = unit.map_or("", suffix);
    if kind == MetricKind::Counter {
        let stem = name.strip_suffix("_total").unwrap_or(&name).len();
        name.truncate(stem);
    }
    if !name.ends_with(unit) {
        name.push_str(unit);
    }
    if kind == MetricKind::Counter {
        name.push_str("_total");
    }
    name
}

/// Units are written out; a plain count has none.
const fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "",
        Unit::Percent => "_percent",
        Unit::Seconds => "_seconds",
        Unit::Milliseconds => "_milliseconds",
        Unit::Microseconds => "_microseconds",
        Unit::Nanoseconds => "_nanoseconds",
        Unit::Tebibytes => "_tebibytes",
        Unit::Gibibytes => "_gibibytes",
        Unit::Mebibytes => "_mebibytes",
        Unit::Kibibytes => "_kibibytes",
        Unit::Bytes => "_bytes",
        Unit::TerabitsPerSecond => "_terabits_per_second",
        Unit::GigabitsPerSecond => "_gigabits_per_second",
        Unit::MegabitsPerSecond => "_megabits_per_second",
        Unit::KilobitsPerSecond => "_kilobits_per_second",
        Unit::BitsPerSecond => "_bits_per_second",
        Unit::CountPerSecond => "_per_second",
    }
}

/// One family, with its description.
pub(super) fn family(into: &mut String, name: &str, kind: MetricKind, family: &Family) {
    if !family.help.is_empty() {
        let _ = write!(into, "# HELP {name} ");
        escape(into, &family.help, false);
        into.push('\n');
    }
    let _ = writeln!(into, "# TYPE {name} {}", kind.as_str());
    for (labels, cell) in &family.series {
        match cell {
            Cell::Counter(count) => {
                sample(into, name, "", labels, "", &count.load(Ordering::Relaxed));
            }
            Cell::Gauge(bits) => {
                let value = f64::from_bits(bits.load(Ordering::Relaxed));
                sample(into, name, "", labels, "", &number(value));
            }
            Cell::Histogram(buckets) => {
                let (counts, count, sum) = buckets.read();
                for (bound, count) in counts {
                    let le = format!("le=\"{}\"", number(bound));
                    sample(into, name, "_bucket", labels, &le, &count);
                }
                sample(into, name, "_bucket", labels, "le=\"+Inf\"", &count);
                sample(into, name, "_sum", labels, "", &number(sum));
                sample(into, name, "_count", labels, "", &count);
            }
        }
    }
}

fn sample(
    into: &mut String,
    name: &str,
    suffix: &str,
    labels: &str,
    last: &str,
    value: &dyn std::fmt::Display,
) {
    let (comma, open, close) = match (labels, last) {
        ("", "") => ("", "", ""),
        ("", _) | (_, "") => ("", "{", "}"),
        _ => (",", "{", "}"),
    };
    let _ = writeln!(
        into,
        "{name}{suffix}{open}{labels}{comma}{last}{close} {value}"
    );
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}
