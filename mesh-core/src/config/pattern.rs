//! Regular expressions from a control plane: anchored, and bounded in size.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use regex::{Regex, RegexBuilder};
use serde::{Serialize, Serializer};

/// A pattern that must match a whole text, in RE2's dialect (`safe_regex` of Envoy and gRPC).
///
/// Two patterns are equal when their sources are.
#[derive(Clone)]
pub struct Pattern {
    source: Arc<str>,
    regex: Regex,
}

/// Why a text is not a usable pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not a regular expression, or one that RE2 has no notion of (look-around, back-references).
    #[error("invalid regex {source_text:?}: {reason}")]
    Syntax {
        /// The pattern as given.
        source_text: String,
        /// The parser's reason, in one line.
        reason: String,
    },
    /// Its compiled form would exceed [`Pattern::SIZE_LIMIT`].
    #[error(
        "regex {source_text:?} compiles to more than {} bytes",
        Pattern::SIZE_LIMIT
    )]
    TooLarge {
        /// The pattern as given.
        source_text: String,
    },
}

impl Pattern {
    /// The most memory that a compiled pattern may take, in bytes.
    pub const SIZE_LIMIT: usize = 1 << 20;

    /// Compiles `source`, anchored at both ends.
    ///
    /// # Errors
    /// When `source` is not a valid expression or compiles to more than [`Self::SIZE_LIMIT`].
    pub fn new(source: &str) -> Result<Self, PatternError> {
        let source_text = || source.chars().take(256).collect();
        // Parsed alone first: wrapped, an unbalanced `)(` would be balanced by our own brackets.
        let built = Self::build(source).and_then(|_| Self::build(&format!(r"\A(?:{source})\z")));
        match built {
            Ok(regex) => Ok(Self {
                source: source.into(),
                regex,
            }),
            Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::TooLarge {
                source_text: source_text(),
            }),
            Err(error) => Err(PatternError::Syntax {
                source_text: source_text(),
                reason: error
                    .to_string()
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim()
                    .to_owned(),
            }),
        }
    }

    fn build(source: &str) -> Result<Regex, regex::Error> {
        RegexBuilder::new(source)
            .size_limit(Self::SIZE_LIMIT)
            .dfa_size_limit(Self::SIZE_LIMIT)
            .build()
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The expression as it was given.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_text() {
        let pattern = Pattern::new("a|bc").unwrap();
        assert!(pattern.is_match("a") && pattern.is_match("bc"));
        assert!(!pattern.is_match("ab") && !pattern.is_match("abc") && !pattern.is_match("a\n"));
    }

    #[test]
    fn a_pattern_cannot_close_our_brackets_or_outgrow_the_limit() {
        assert!(matches!(
            Pattern::new("a)|(b"),
            Err(PatternError::Syntax { .. })
        ));
        assert!(matches!(
            Pattern::new("(?=a)"),
            Err(PatternError::Syntax { .. })
        ));
        assert!(matches!(
            Pattern::new("(a{500}){500}"),
            Err(PatternError::TooLarge { .. })
        ));
    }
}
