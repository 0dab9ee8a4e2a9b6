//! What is wrong with a resource: every error at once, each with the path of its field.

use std::fmt;

use crate::error::OneLine;

/// The way to a field from the root of its resource, as `virtual_hosts[2].routes[0].match.prefix`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct FieldPath(String);

impl FieldPath {
    /// The resource itself.
    #[must_use]
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// The field `name` of what this path points at.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let dot = if self.0.is_empty() { "" } else { "." };
        Self(format!("{}{dot}{name}", self.0))
    }

    /// The `index`th entry of the list that this path points at.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The entry under `key` of the map that this path points at. A long key is cut.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{:?}]", self.0, cut(key, 128)))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that is wrong with a resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{}{}", Prefix(path), OneLine(reason))]
pub struct ConfigError {
    /// Where.
    pub path: FieldPath,
    /// What, in words a reader can act on.
    pub reason: String,
}

impl ConfigError {
    /// The most bytes of a reason. It may quote what is wrong, and that can be of any length.
    pub const LONGEST: usize = 1_024;

    /// An error at `path`. A reason above [`Self::LONGEST`] is cut.
    pub fn new(path: &FieldPath, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(cut(&reason, Self::LONGEST).len());
        Self {
            path: path.clone(),
            reason,
        }
    }
}

/// The front of `text` of at most `longest` bytes.
fn cut(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Writes `path: `, or nothing for the resource itself.
struct Prefix<'a>(&'a FieldPath);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == &FieldPath::root() {
            Ok(())
        } else {
            write!(f, "{}: ", self.0)
        }
    }
}

/// All that is wrong with a resource; collected while it is read, never cut short at the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// At most this many errors of one resource are kept: a hostile resource must not make us hold
    /// a text of its own size many times over.
    pub const MAX: usize = 64;

    /// Notes an error. Past [`Self::MAX`] it is dropped: the resource is refused already.
    pub fn push(&mut self, path: &FieldPath, reason: impl Into<String>) {
        if self.0.len() < Self::MAX {
            self.0.push(ConfigError::new(path, reason));
        }
    }

    /// Keeps the value of `result`, or notes its error at `path`.
    pub fn keep<T, E: fmt::Display>(
        &mut self,
        path: &FieldPath,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.push(path, error.to_string()))
            .ok()
    }

    /// `value` if nothing was noted, all errors otherwise.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// Whether nothing was noted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors in the order in which they were met.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_the_field_is_written() {
        let path = FieldPath::root()
            .field("routes")
            .index(3)
            .field("typed")
            .key("a.b");
        assert_eq!(path.to_string(), r#"routes[3].typed["a.b"]"#);
    }

    #[test]
    fn an_error_stands_on_one_line() {
        let error = ConfigError::new(&FieldPath::root().field("regex"), "wrong:\n  (\n  ^\n");
        assert_eq!(error.to_string(), "regex: wrong: ( ^");
    }

    #[test]
    fn what_is_quoted_is_cut() {
        let path = FieldPath::root().key(&"\u{e4}".repeat(1_000));
        assert_eq!(path.to_string(), format!("[{:?}]", "\u{e4}".repeat(64)));
        let error = ConfigError::new(&path, "\u{20ac}".repeat(1_000));
        assert_eq!(error.reason, "\u{20ac}".repeat(341));
    }

    #[test]
    fn all_errors_are_told_and_their_number_is_bounded() {
        let mut errors = ConfigErrors::default();
        errors.push(&FieldPath::root().field("name"), "is empty");
        errors.push(&FieldPath::root(), "has no routes");
        assert_eq!(errors.to_string(), "name: is empty; has no routes");
        for _ in 0..1_000 {
            errors.push(&FieldPath::root(), "again");
        }
        assert_eq!(errors.iter().count(), ConfigErrors::MAX);
    }
}
