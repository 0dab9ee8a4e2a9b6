//! JSON as written: values that know their path, so that every complaint names its field.

use std::time::Duration;

use mesh_core::config::{ConfigErrors, FieldPath};
use serde_json::Value;

/// A value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json<'a> {
    value: &'a Value,
    path: &'a FieldPath,
}

impl<'a> Json<'a> {
    pub(super) const fn new(value: &'a Value, path: &'a FieldPath) -> Self {
        Self { value, path }
    }

    /// The path of the field `key`.
    pub(super) fn at(&self, key: &str) -> FieldPath {
        self.path.field(key)
    }

    /// The field `key`; one that is null counts as left out.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.value.get(key).filter(|value| !value.is_null())
    }

    /// Whether this is an object; complains otherwise.
    pub(super) fn is_object(&self, errors: &mut ConfigErrors) -> bool {
        if !self.value.is_object() {
            errors.push(self.path, format!("is {}, not an object", kind(self.value)));
        }
        self.value.is_object()
    }

    /// The text under `key`.
    pub(super) fn text(&self, key: &str, errors: &mut ConfigErrors) -> Option<String> {
        let value = self.get(key)?;
        let text = value.as_str();
        if text.is_none() {
            errors.push(&self.at(key), format!("is {}, not a text", kind(value)));
        }
        text.map(str::to_owned)
    }

    /// The text under `key`, which must be there and say something.
    pub(super) fn needed_text(&self, key: &str, errors: &mut ConfigErrors) -> Option<String> {
        if self.get(key).is_none() {
            errors.push(&self.at(key), "is missing");
            return None;
        }
        let text = self.text(key, errors)?;
        if text.is_empty() {
            errors.push(&self.at(key), "is empty");
            return None;
        }
        Some(text)
    }

    /// The list under `key`, each entry with its path; `None` when it is left out.
    pub(super) fn list(
        &self,
        key: &str,
        errors: &mut ConfigErrors,
    ) -> Option<Vec<(&'a Value, FieldPath)>> {
        let value = self.get(key)?;
        let path = self.at(key);
        let Some(list) = value.as_array() else {
            errors.push(&path, format!("is {}, not a list", kind(value)));
            return Some(Vec::new());
        };
        let entries = list.iter().enumerate();
        Some(entries.map(|(i, entry)| (entry, path.index(i))).collect())
    }

    /// The entries of the object under `key`, each with its path; none when it is left out.
    pub(super) fn entries(
        &self,
        key: &str,
        errors: &mut ConfigErrors,
    ) -> impl Iterator<Item = (&'a str, &'a Value, FieldPath)> + use<'a> {
        let path = self.at(key);
        let value = self.get(key);
        let object = value.and_then(Value::as_object);
        if let Some(value) = value
            && object.is_none()
        {
            errors.push(&path, format!("is {}, not an object", kind(value)));
        }
        object
            .into_iter()
            .flatten()
            .map(move |(name, value)| (name.as_str(), value, path.key(name)))
    }

    /// The duration under `key`, as protobuf writes one in JSON: seconds with up to nine decimals
    /// and an `s`.
    pub(super) fn duration(&self, key: &str, errors: &mut ConfigErrors) -> Option<Duration> {
        let text = self.text(key, errors)?;
        let duration = parse_duration(&text);
        if duration.is_none() {
            errors.push(
                &self.at(key),
                format!("{text:?} is not a duration like \"600s\""),
            );
        }
        duration
    }
}

/// Negative ones are refused: none of the durations in a bootstrap can be.
fn parse_duration(text: &str) -> Option<Duration> {
    /// What protobuf allows: about 10,000 years.
    const MAX_SECONDS: u64 = 315_576_000_000;
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds = whole.parse().ok().filter(|s| *s <= MAX_SECONDS)?;
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some(Duration::new(seconds, nanos))
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_protobuf_writes_them() {
        assert_eq!(parse_duration("600s"), Some(Duration::from_secs(600)));
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(
            parse_duration("0.000000001s"),
            Some(Duration::from_nanos(1))
        );
        for bad in [
            "",
            "s",
            "600",
            "-1s",
            "1.s",
            ".5s",
            "1m",
            "1.0000000001s",
            "+1s",
            "1 s",
            "99999999999999s",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
