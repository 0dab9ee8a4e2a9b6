//! Matchers of headers and of parameters of the query, in short.

use mesh_proto::envoy::{
    config::route::v3::{
        HeaderMatcher, QueryParameterMatcher, header_matcher::HeaderMatchSpecifier as Header,
        query_parameter_matcher::QueryParameterMatchSpecifier as Query,
    },
    r#type::{
        matcher::v3::{RegexMatcher, StringMatcher, string_matcher::MatchPattern},
        v3::Int64Range,
    },
};
use mesh_testkit::xds::RouteBuilder;

/// A test of a header or of a parameter.
#[derive(Clone, Debug)]
pub struct Test {
    name: String,
    of: Of,
    ignore_case: bool,
    invert: bool,
    or_empty: bool,
}

#[derive(Clone, Debug)]
enum Of {
    Nothing,
    Text(MatchPattern),
    Range(i64, i64),
    Present(bool),
    Old(Header),
}

/// A test of this header, by its name alone until told more.
#[must_use]
pub fn header(name: &str) -> Test {
    Test {
        name: name.to_owned(),
        of: Of::Nothing,
        ignore_case: false,
        invert: false,
        or_empty: false,
    }
}

/// A test of this parameter of the query.
#[must_use]
pub fn query(name: &str) -> Test {
    header(name)
}

impl Test {
    /// It has to be this.
    #[must_use]
    pub fn exact(self, text: &str) -> Self {
        self.of(Of::Text(MatchPattern::Exact(text.to_owned())))
    }

    /// It has to begin with this.
    #[must_use]
    pub fn prefix(self, text: &str) -> Self {
        self.of(Of::Text(MatchPattern::Prefix(text.to_owned())))
    }

    /// It has to end with this.
    #[must_use]
    pub fn suffix(self, text: &str) -> Self {
        self.of(Of::Text(MatchPattern::Suffix(text.to_owned())))
    }

    /// It has to contain this.
    #[must_use]
    pub fn contains(self, text: &str) -> Self {
        self.of(Of::Text(MatchPattern::Contains(text.to_owned())))
    }

    /// All of it has to match this.
    #[must_use]
    pub fn regex(self, regex: &str) -> Self {
        let regex = RegexMatcher {
            regex: regex.to_owned(),
            ..RegexMatcher::default()
        };
        self.of(Of::Text(MatchPattern::SafeRegex(regex)))
    }

    /// It has to be a number from `start` up to, and without, `end`.
    #[must_use]
    pub fn range(self, start: i64, end: i64) -> Self {
        self.of(Of::Range(start, end))
    }

    /// It has to be there, or not to be.
    #[must_use]
    pub fn present(self, present: bool) -> Self {
        self.of(Of::Present(present))
    }

    /// A field of the message that has been replaced by another.
    #[must_use]
    pub fn old(self, field: Header) -> Self {
        self.of(Of::Old(field))
    }

    /// In any case.
    #[must_use]
    pub fn ignore_case(mut self) -> Self {
        self.ignore_case = true;
        self
    }

    /// The opposite.
    #[must_use]
    pub fn invert(mut self) -> Self {
        self.invert = true;
        self
    }

    /// A missing one is an empty one.
    #[must_use]
    pub fn or_empty(mut self) -> Self {
        self.or_empty = true;
        self
    }

    fn of(mut self, of: Of) -> Self {
        self.of = of;
        self
    }

    fn text(&self, pattern: MatchPattern) -> StringMatcher {
        StringMatcher {
            match_pattern: Some(pattern),
            ignore_case: self.ignore_case,
        }
    }

    /// As a test of a header.
    #[must_use]
    pub fn for_header(self) -> HeaderMatcher {
        let specifier = match self.of.clone() {
            Of::Nothing => None,
            Of::Text(pattern) => Some(Header::StringMatch(self.text(pattern))),
            Of::Range(start, end) => Some(Header::RangeMatch(Int64Range { start, end })),
            Of::Present(present) => Some(Header::PresentMatch(present)),
            Of::Old(field) => Some(field),
        };
        HeaderMatcher {
            name: self.name,
            invert_match: self.invert,
            treat_missing_header_as_empty: self.or_empty,
            header_match_specifier: specifier,
        }
    }

    fn for_query(self) -> QueryParameterMatcher {
        let specifier = match self.of.clone() {
            Of::Text(pattern) => Some(Query::StringMatch(self.text(pattern))),
            Of::Present(present) => Some(Query::PresentMatch(present)),
            Of::Nothing => None,
            Of::Range(..) | Of::Old(_) => panic!("no test of a parameter"),
        };
        QueryParameterMatcher {
            name: self.name,
            query_parameter_match_specifier: specifier,
        }
    }
}

/// Routes with tests of headers and parameters.
pub trait Matching {
    /// Only where this holds of a header.
    #[must_use]
    fn when(self, test: Test) -> Self;

    /// Only where this holds of a parameter.
    #[must_use]
    fn when_query(self, test: Test) -> Self;
}

impl Matching for RouteBuilder {
    fn when(self, test: Test) -> Self {
        self.edit_match(|of| of.headers.push(test.for_header()))
    }

    fn when_query(self, test: Test) -> Self {
        self.edit_match(|of| of.query_parameters.push(test.for_query()))
    }
}
