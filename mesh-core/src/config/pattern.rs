//! Regular expressions from a control plane: anchored, and bounded in size.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use regex::bytes::{Regex, RegexBuilder};
use serde::{Serialize, Serializer};

use super::re2;
use crate::bounds::Bound;

/// A pattern that must match a whole text, in RE2's dialect (`safe_regex` of Envoy and gRPC).
///
/// A text is bytes: a dot is one of them, as in Envoy. Only what names characters beyond ASCII, by
/// themselves or by a class of Unicode, has them whole.
///
/// Two patterns are equal when their sources are.
#[derive(Clone)]
pub struct Pattern(Arc<Compiled>);

/// Behind one pointer: most conditions are no patterns and need not have room for one.
struct Compiled {
    source: Box<str>,
    size: usize,
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

/// Compiled forms are built with room for this many bytes, then for the next, until they fit: so
/// that it is known what they take without asking for much more.
const SIZES: [usize; 5] = [4 << 10, 16 << 10, 64 << 10, 256 << 10, Pattern::SIZE_LIMIT];

impl Pattern {
    /// The most memory that a compiled pattern may take, in bytes.
    pub const SIZE_LIMIT: usize = 1 << 20;

    /// Compiles `source`, anchored at both ends.
    ///
    /// # Errors
    /// When `source` is not a valid expression or compiles to more than [`Self::SIZE_LIMIT`].
    pub fn new(source: &str) -> Result<Self, PatternError> {
        let source_text = || source.chars().take(256).collect();
        let ours = re2::translated(source);
        let unicode = !ours.is_ascii() || parse(&ours, false).is_err();
        let built =
            parse(&ours, unicode).and_then(|()| compile(&format!(r"\A(?:{ours})\z"), unicode));
        match built {
            Ok((regex, size)) => Ok(Self(Arc::new(Compiled {
                source: source.into(),
                size,
                regex,
            }))),
            Err(regex::Error::CompiledTooBig(_)) => {
                Bound::Regex.exceeded();
                Err(PatternError::TooLarge {
                    source_text: source_text(),
                })
            }
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

    /// How much memory the compiled pattern takes at most, in bytes; rounded up to a power of four.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn is_match(&self, text: impl AsRef<[u8]>) -> bool {
        self.0.regex.is_match(text.as_ref())
    }

    /// The expression as it was given.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }
}

/// Whether `source` is an expression by itself. Inside our own brackets an unbalanced `)(` would be
/// balanced.
fn parse(source: &str, unicode: bool) -> Result<(), regex::Error> {
    // Parsing comes first: without any room, what can be parsed fails by its size.
    let mut builder = RegexBuilder::new(source);
    match builder.unicode(unicode).size_limit(0).build() {
        Ok(_) | Err(regex::Error::CompiledTooBig(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Compiles an expression in the least of [`SIZES`] that it fits in; gives that size.
fn compile(source: &str, unicode: bool) -> Result<(Regex, usize), regex::Error> {
    let build = |size| {
        RegexBuilder::new(source)
            .unicode(unicode)
            .size_limit(size)
            .dfa_size_limit(Pattern::SIZE_LIMIT)
            .build()
            .map(|regex| (regex, size))
    };
    let too_big = |built: &Result<_, _>| matches!(built, Err(regex::Error::CompiledTooBig(_)));
    let mut sizes = SIZES.into_iter().map(build);
    let fits = sizes.find(|built| !too_big(built));
    fits.unwrap_or(Err(regex::Error::CompiledTooBig(Pattern::SIZE_LIMIT)))
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source().hash(state);
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source())
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.source())
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
        let counted = Bound::Regex.times();
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
        assert!(Bound::Regex.times() > counted);
    }

    #[test]
    fn perl_classes_are_those_of_ascii_as_in_re2() {
        for (source, yes, no) in [
            (r"\d+", "09", "٣"),
            (r"\D+", "٣", "3"),
            (r"\w+", "aZ_9", "é"),
            (r"\W+", "é", "_"),
            (r"\s", "\t", "\u{b}"),
            (r"\S+", "\u{a0}", " "),
            (r"[\d.]+", "1.2", "d"),
            (r"[^\d.]+", "d", "1"),
            (r"[^\W_]", "a", "_"),
            (r"(?i)\w+x", "aX", "ſ"),
            (r"\\d", r"\d", "1"),
            (r"\\\d", r"\1", r"\d"),
            (r"[\\d]", "d", "1"),
        ] {
            let pattern = Pattern::new(source).unwrap();
            assert!(pattern.is_match(yes), "{source} on {yes:?}");
            assert!(!pattern.is_match(no), "{source} on {no:?}");
        }
    }

    #[test]
    fn a_text_is_bytes_unless_the_pattern_names_characters() {
        for (source, yes, no) in [
            ("a.b", "axb", "aéb"),
            ("a..b", "aéb", "axb"),
            ("aé?b", "aéb", "a\u{c3}b"),
            ("[éx]", "é", "y"),
            (r"\xc3\xa9", "é", "e"),
        ] {
            let pattern = Pattern::new(source).unwrap();
            assert!(pattern.is_match(yes), "{source} on {yes:?}");
            assert!(!pattern.is_match(no), "{source} on {no:?}");
        }
        assert!(Pattern::new(".*").unwrap().is_match(b"ab\xff\xc3"));
    }

    #[test]
    fn a_size_is_told_and_small_for_what_is_small() {
        let size = |source| Pattern::new(source).unwrap().size();
        assert_eq!(size("/users/[^/]+/carts"), SIZES[0]);
        assert_eq!(size(r"/users/\d+/\w+"), SIZES[0]);
        assert!(size("(a{100}){100}") > SIZES[2]);
    }
}
