//! What every decoder carries along: options, errors, warnings, and the scalar types of xDS.

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};

use mesh_core::{
    bounds::Bound,
    config::{ConfigError, ConfigErrors, Dialect, Forward, Fraction, Pattern, RetryPolicy},
    error::Causes,
    name::ClusterName,
};
use mesh_proto::{
    Any, TypeUrl, UnpackError,
    envoy::{
        config::core::v3::{ConfigSource, config_source::ConfigSourceSpecifier},
        r#type::{
            matcher::v3::RegexMatcher,
            v3::{FractionalPercent, Percent, fractional_percent::DenominatorType},
        },
    },
    google::protobuf,
};

use super::{
    at::At,
    options::DecodeOptions,
    unsupported::{Unused, Verdict},
};

/// What is said of a field that is ignored without harm.
pub(super) const NO_EFFECT: &str = "is accepted but has no effect";

/// How many bytes the patterns of one resource may compile to: room for 16,000 small ones.
const MAX_PATTERNS: usize = 64 << 20;

/// Reads one resource.
pub(super) struct Reader<'o> {
    pub(super) options: &'o DecodeOptions,
    errors: ConfigErrors,
    warnings: ConfigErrors,
    /// A part of it does not decode: what was read is worth nothing.
    pub(super) malformed: bool,
    /// The retry policy read last: control planes write the same one on every route.
    pub(super) last_retry: Option<Arc<RetryPolicy>>,
    /// The last action of a route to each cluster: many routes differ only by what they take.
    pub(super) last_forwards: HashMap<ClusterName, Arc<Forward>>,
    /// What was compiled already: routes often repeat a pattern.
    patterns: HashMap<String, Pattern>,
    /// How many bytes further patterns may compile to; `None` once one had no room.
    pattern_room: Option<usize>,
}

impl<'o> Reader<'o> {
    pub(super) fn new(options: &'o DecodeOptions) -> Self {
        Self {
            options,
            errors: ConfigErrors::default(),
            warnings: ConfigErrors::default(),
            malformed: false,
            last_retry: None,
            last_forwards: HashMap::new(),
            patterns: HashMap::new(),
            pattern_room: Some(MAX_PATTERNS),
        }
    }

    pub(super) fn finish(self) -> (ConfigErrors, Vec<ConfigError>) {
        let warnings = self.warnings.iter().cloned().collect();
        (self.errors, warnings)
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.options.dialect()
    }

    pub(super) fn is_grpc(&self) -> bool {
        self.dialect() == Dialect::Grpc
    }

    /// Notes why the resource is refused.
    pub(super) fn error(&mut self, at: &At<'_>, reason: impl Into<String>) {
        self.errors.push(&at.path(), reason);
    }

    /// Notes a field without effect.
    pub(super) fn warn(&mut self, at: &At<'_>, reason: impl Into<String>) {
        // Most of the cost of a warning is its path: past the bound it is not even built.
        if self.warnings.iter().len() < ConfigErrors::MAX {
            self.warnings.push(&at.path(), reason);
        }
    }

    /// Deals with the fields of a message that are set and not carried out. Gives the reason for
    /// which a route must refuse its requests, if one of them demands it.
    pub(super) fn unused(&mut self, at: &At<'_>, fields: &[Unused]) -> Option<String> {
        let mut refusal = None;
        for unused in fields {
            let place = at.field(unused.field);
            match unused.verdict {
                _ if self.is_grpc() => self.warn(&place, NO_EFFECT),
                Verdict::Report => self.warn(&place, NO_EFFECT),
                Verdict::Reject => self.error(&place, "is not supported yet"),
                Verdict::Refuse => {
                    self.warn(&place, "is not supported yet: requests are refused");
                    let refuse = || format!("{} is not supported yet", unused.field);
                    refusal.get_or_insert_with(refuse);
                }
            }
        }
        refusal
    }

    /// Reports the fields that are set and have no effect in either dialect.
    pub(super) fn no_effect(&mut self, at: &At<'_>, fields: &[(&str, bool)]) {
        for (field, _) in fields.iter().filter(|&&(_, set)| set) {
            self.warn(&at.field(field), NO_EFFECT);
        }
    }

    /// A duration between zero and 10,000 years (`google.protobuf.Duration`, without the negative
    /// half).
    pub(super) fn duration(
        &mut self,
        at: &At<'_>,
        duration: &protobuf::Duration,
    ) -> Option<Duration> {
        match valid_duration(duration) {
            Ok(duration) => Some(duration),
            Err(reason) => {
                self.error(at, reason);
                None
            }
        }
    }

    /// A duration that is left out or valid.
    pub(super) fn optional_duration(
        &mut self,
        at: &At<'_>,
        duration: Option<&protobuf::Duration>,
    ) -> Option<Duration> {
        duration.and_then(|duration| self.duration(at, duration))
    }

    /// A duration above zero.
    pub(super) fn positive_duration(
        &mut self,
        at: &At<'_>,
        duration: &protobuf::Duration,
    ) -> Option<Duration> {
        let duration = self.duration(at, duration)?;
        if duration.is_zero() {
            self.error(at, "must be greater than zero");
            return None;
        }
        Some(duration)
    }

    /// A share of requests.
    pub(super) fn fraction(&mut self, at: &At<'_>, percent: FractionalPercent) -> Option<Fraction> {
        let Some(denominator) = denominator_of(percent) else {
            let reason = format!("unknown denominator type {}", percent.denominator);
            self.error(&at.field("denominator"), reason);
            return None;
        };
        Some(Fraction::new(percent.numerator, denominator))
    }

    /// A number from 0 to 100.
    pub(super) fn percent(&mut self, at: &At<'_>, percent: Percent) -> Option<f64> {
        if (0.0..=100.0).contains(&percent.value) {
            return Some(percent.value);
        }
        let reason = format!("{} is not within 0 to 100", percent.value);
        self.error(&at.field("value"), reason);
        None
    }

    /// A regular expression.
    pub(super) fn pattern(&mut self, at: &At<'_>, matcher: &RegexMatcher) -> Option<Pattern> {
        let place = at.field("regex");
        if matcher.regex.is_empty() && !self.is_grpc() {
            self.error(&place, "is empty");
            return None;
        }
        if let Some(known) = self.patterns.get(&matcher.regex) {
            return Some(known.clone());
        }
        // It was said where the room ran out.
        let room = self.pattern_room?;
        let pattern = match Pattern::new(&matcher.regex) {
            Ok(pattern) => pattern,
            Err(error) => {
                self.error(&place, error.to_string());
                return None;
            }
        };
        self.pattern_room = room.checked_sub(pattern.size());
        if self.pattern_room.is_none() {
            let reason = "the regexes of the resource compile to more than 64 MiB together";
            Bound::Regexes.exceeded();
            self.error(&place, reason);
            return None;
        }
        self.patterns.insert(matcher.regex.clone(), pattern.clone());
        Some(pattern)
    }

    /// Checks that a resource is to come from the stream that we are on.
    pub(super) fn config_source(&mut self, at: &At<'_>, source: Option<&ConfigSource>) {
        use ConfigSourceSpecifier as Source;
        let found = match source.map(|source| &source.config_source_specifier) {
            Some(Some(Source::Ads(_) | Source::Self_(_))) => return,
            None => "is missing",
            Some(None) => "names no source: only ads and self are supported",
            Some(Some(Source::Path(_) | Source::PathConfigSource(_))) => {
                "is a path: only ads and self are supported"
            }
            Some(Some(Source::ApiConfigSource(_))) => {
                "is an api_config_source: only ads and self are supported"
            }
        };
        self.error(at, found);
    }

    /// The message in `any`.
    pub(super) fn unpack<M: TypeUrl>(&mut self, at: &At<'_>, any: &Any) -> Option<M> {
        match any.unpack() {
            Ok(message) => Some(message),
            Err(error) => {
                self.error(at, unpack_reason(&error));
                None
            }
        }
    }
}

/// What the numerator of a share is a part of.
pub(super) fn denominator_of(percent: FractionalPercent) -> Option<u32> {
    match DenominatorType::try_from(percent.denominator) {
        Ok(DenominatorType::Hundred) => Some(100),
        Ok(DenominatorType::TenThousand) => Some(10_000),
        Ok(DenominatorType::Million) => Some(1_000_000),
        Err(_) => None,
    }
}

/// Why a message could not be unpacked, its cause included.
pub(super) fn unpack_reason(error: &UnpackError) -> String {
    match error {
        UnpackError::WrongType { expected, found } => {
            format!("expected {expected}, found {}", quoted(found))
        }
        _ => Causes(error).to_string(),
    }
}

/// A text as configuration keeps it. Most names of routes and hosts are empty, and cost nothing.
pub(super) fn kept(text: &str) -> Arc<str> {
    match text {
        "" => Arc::default(),
        text => text.into(),
    }
}

/// A text from the network, short enough for a message.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", cut(text))
}

/// The first 128 characters of a text from the network.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    const MAX: usize = 128;
    match text.char_indices().nth(MAX) {
        Some((end, _)) => Cow::Owned(format!("{}...", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn valid_duration(duration: &protobuf::Duration) -> Result<Duration, &'static str> {
    const MAX_SECONDS: i64 = 315_576_000_000;
    let (Ok(seconds), Ok(nanos)) = (
        u64::try_from(duration.seconds),
        u32::try_from(duration.nanos),
    ) else {
        return Err("is a negative duration");
    };
    if duration.seconds > MAX_SECONDS {
        return Err("is a duration of more than 10,000 years");
    }
    if nanos > 999_999_999 {
        return Err("has nanos above 999,999,999");
    }
    Ok(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_of_a_resource_are_bounded_together_and_one_counts_once() {
        let options = DecodeOptions::new(Dialect::Grpc);
        let mut r = Reader::new(&options);
        assert_eq!(r.pattern_room, Some(64 << 20));
        let one = Pattern::new("a").unwrap().size();
        r.pattern_room = Some(2 * one);
        let mut read = |regex: &str| {
            let matcher = RegexMatcher {
                regex: regex.to_owned(),
                ..RegexMatcher::default()
            };
            r.pattern(&At::ROOT, &matcher).is_some()
        };
        assert!(read("a") && read("a") && read("b") && read("a"));
        let counted = Bound::Regexes.times();
        assert!(!read("c") && !read("d"));
        assert!(Bound::Regexes.times() > counted);
        let (errors, _) = r.finish();
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            ["regex: the regexes of the resource compile to more than 64 MiB together"]
        );
    }
}
