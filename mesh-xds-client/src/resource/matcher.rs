//! Matchers of headers, query parameters and texts.

use std::sync::Arc;

use http::HeaderName;
use mesh_core::config::{
    HeaderMatch, HeaderMatchKind, HeaderSource, QueryMatch, QueryMatchKind, StringMatch,
    StringMatchKind,
};
use mesh_proto::envoy::{
    config::route::v3::{
        HeaderMatcher, QueryParameterMatcher, header_matcher::HeaderMatchSpecifier as Specifier,
        query_parameter_matcher::QueryParameterMatchSpecifier,
    },
    r#type::matcher::v3::{RegexMatcher, StringMatcher, string_matcher::MatchPattern},
};

use super::{at::At, reader::Reader};

impl Reader<'_> {
    /// A list of header matchers.
    pub(super) fn header_matches(
        &mut self,
        at: &At<'_>,
        matchers: &[HeaderMatcher],
    ) -> Vec<HeaderMatch> {
        let read = |(i, matcher)| self.header_match(&at.index(i), matcher);
        matchers.iter().enumerate().filter_map(read).collect()
    }

    fn header_match(&mut self, at: &At<'_>, matcher: &HeaderMatcher) -> Option<HeaderMatch> {
        let source = self.header_source(&at.field("name"), &matcher.name);
        let kind = self.header_match_kind(at, matcher);
        let missing_as_empty = matcher.treat_missing_header_as_empty && !self.is_grpc();
        if matcher.treat_missing_header_as_empty && self.is_grpc() {
            let place = at.field("treat_missing_header_as_empty");
            self.warn(&place, "is not read in dialect grpc");
        }
        Some(HeaderMatch {
            source: source?,
            kind: kind?,
            invert: matcher.invert_match,
            missing_as_empty,
        })
    }

    /// gRPC shows matchers only what the application sent as metadata: no pseudo headers, and none
    /// of the binary ones (gRFC A28). A name that no header can have is never there either.
    fn header_source(&mut self, at: &At<'_>, name: &str) -> Option<HeaderSource> {
        let grpc = self.is_grpc();
        let lower = name.to_ascii_lowercase();
        if grpc && (lower.starts_with(':') || lower.ends_with("-bin")) {
            return Some(HeaderSource::Hidden(lower.into()));
        }
        match lower.as_str() {
            ":method" => return Some(HeaderSource::Method),
            ":scheme" => return Some(HeaderSource::Scheme),
            ":path" => return Some(HeaderSource::Path),
            ":authority" => return Some(HeaderSource::Authority),
            "host" if !grpc => return Some(HeaderSource::Authority),
            _ => {}
        }
        match HeaderName::from_bytes(lower.as_bytes()) {
            Ok(name) => Some(HeaderSource::Header(name)),
            Err(_) if grpc => Some(HeaderSource::Hidden(lower.into())),
            Err(_) if lower.is_empty() || lower.contains(['\0', '\r', '\n']) => {
                self.error(at, "is not a header name");
                None
            }
            // Envoy looks for it and finds nothing.
            Err(_) => {
                self.warn(at, "is the name of no header");
                Some(HeaderSource::Hidden(lower.into()))
            }
        }
    }

    fn header_match_kind(
        &mut self,
        at: &At<'_>,
        matcher: &HeaderMatcher,
    ) -> Option<HeaderMatchKind> {
        let text = |kind: Option<StringMatchKind>| {
            kind.map(|kind| {
                HeaderMatchKind::Text(StringMatch {
                    kind,
                    ignore_case: false,
                })
            })
        };
        match matcher.header_match_specifier.as_ref() {
            // In this field, not in those that came after it, Envoy takes no text for any text.
            Some(Specifier::ExactMatch(exact)) if exact.is_empty() && !self.is_grpc() => {
                text(Some(StringMatchKind::Prefix("".into())))
            }
            Some(Specifier::ExactMatch(exact)) => {
                text(Some(StringMatchKind::Exact(exact.as_str().into())))
            }
            Some(Specifier::PrefixMatch(prefix)) => {
                let prefix = self.filled(&at.field("prefix_match"), prefix);
                text(prefix.map(StringMatchKind::Prefix))
            }
            Some(Specifier::SuffixMatch(suffix)) => {
                let suffix = self.filled(&at.field("suffix_match"), suffix);
                text(suffix.map(StringMatchKind::Suffix))
            }
            Some(Specifier::ContainsMatch(part)) => {
                let part = self.filled(&at.field("contains_match"), part);
                text(part.map(StringMatchKind::Contains))
            }
            Some(Specifier::SafeRegexMatch(regex)) => {
                text(self.regex_kind(&at.field("safe_regex_match"), regex))
            }
            Some(Specifier::RangeMatch(range)) => {
                Some(HeaderMatchKind::Range(range.start..range.end))
            }
            Some(Specifier::PresentMatch(present)) => Some(HeaderMatchKind::Present(*present)),
            Some(Specifier::StringMatch(matcher)) => self
                .string_match(&at.field("string_match"), matcher)
                .map(HeaderMatchKind::Text),
            // Envoy reads a matcher with a name only as a test of presence.
            None if !self.is_grpc() => Some(HeaderMatchKind::Present(true)),
            None => {
                self.error(at, "has no known kind of match");
                None
            }
        }
    }

    /// A condition on a text.
    pub(super) fn string_match(
        &mut self,
        at: &At<'_>,
        matcher: &StringMatcher,
    ) -> Option<StringMatch> {
        let kind = match matcher.match_pattern.as_ref() {
            Some(MatchPattern::Exact(exact)) => Some(StringMatchKind::Exact(exact.as_str().into())),
            Some(MatchPattern::Prefix(prefix)) => self
                .filled(&at.field("prefix"), prefix)
                .map(StringMatchKind::Prefix),
            Some(MatchPattern::Suffix(suffix)) => self
                .filled(&at.field("suffix"), suffix)
                .map(StringMatchKind::Suffix),
            Some(MatchPattern::Contains(part)) => self
                .filled(&at.field("contains"), part)
                .map(StringMatchKind::Contains),
            Some(MatchPattern::SafeRegex(regex)) => self.regex_kind(&at.field("safe_regex"), regex),
            Some(MatchPattern::Custom(_)) => {
                self.error(&at.field("custom"), "is not supported yet");
                None
            }
            None => {
                self.error(at, "has no known match pattern");
                None
            }
        };
        Some(StringMatch {
            kind: kind?,
            ignore_case: matcher.ignore_case,
        })
    }

    /// A list of query parameter matchers.
    pub(super) fn query_matches(
        &mut self,
        at: &At<'_>,
        matchers: &[QueryParameterMatcher],
    ) -> Vec<QueryMatch> {
        let read = |(i, matcher)| self.query_match(&at.index(i), matcher);
        matchers.iter().enumerate().filter_map(read).collect()
    }

    fn query_match(&mut self, at: &At<'_>, matcher: &QueryParameterMatcher) -> Option<QueryMatch> {
        use QueryParameterMatchSpecifier as Specifier;
        let name = self.filled(&at.field("name"), &matcher.name);
        let kind = match matcher.query_parameter_match_specifier.as_ref() {
            Some(Specifier::StringMatch(matcher)) => self
                .string_match(&at.field("string_match"), matcher)
                .map(QueryMatchKind::Text),
            Some(Specifier::PresentMatch(present)) => Some(QueryMatchKind::Present(*present)),
            None => Some(QueryMatchKind::Present(true)),
        };
        Some(QueryMatch {
            name: name?,
            kind: kind?,
        })
    }

    /// A text that must not be empty.
    pub(super) fn filled(&mut self, at: &At<'_>, text: &str) -> Option<Arc<str>> {
        if text.is_empty() {
            self.error(at, "is empty");
            return None;
        }
        Some(text.into())
    }

    fn regex_kind(&mut self, at: &At<'_>, regex: &RegexMatcher) -> Option<StringMatchKind> {
        self.pattern(at, regex).map(StringMatchKind::Regex)
    }
}
