//! Choices made by the bytes of an input.

/// The bytes of an input, taken from the front. When they are used up every choice is the first.
#[derive(Debug)]
pub(crate) struct Draw<'a> {
    rest: &'a [u8],
}

/// Texts that mean something somewhere, and near misses.
const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "c",
    "a.b",
    "*",
    "*.b",
    "a.*",
    "*a",
    "A",
    "/",
    "/a",
    "/a/b",
    "/a/",
    "*/*",
    "é",
    "greeter",
    "routes",
    "cluster",
    "listener",
    "default",
    "x-user",
    "X-User",
    ":path",
    ":method",
    ":authority",
    ":scheme",
    ":x",
    "content-type",
    "grpc-timeout",
    "application/grpc",
    "host",
    "user-bin",
    "1",
    "-1",
    "99999999999999999999",
    "0.5",
    "true",
    "10.0.0.1",
    "::1",
    "[::1]:80",
    "a:80",
    "localhost",
    "127.0.0.1:1",
    "5xx",
    "unavailable,cancelled",
    "connect-failure,reset",
    "gateway-error",
    "envoy.lb",
    "envoy.filters.http.router",
    "envoy.filters.http.fault",
    "envoy.transport_sockets.tls",
    "ROUND_ROBIN",
    "a|b",
    "(a+)+$",
    "[",
    "a{1000}",
    "(?i)a",
    ".*",
    "\\d+",
    "^a$",
    "xdstp://a/t/i?b=1&a=2",
    "xdstp://a/t/i#c",
    "type.googleapis.com/x",
    "\n",
    "\u{0}",
    "%s",
    "%41",
    "%4",
    "a b",
    "unix:/x",
    "eds",
    "POST",
    "GET",
    "a,b",
    " a ",
    "\"",
    "\\1\\2",
    "{a}",
];

impl<'a> Draw<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((byte, rest)) => {
                self.rest = rest;
                *byte
            }
            None => 0,
        }
    }

    /// A number below `end`, which must be above zero.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let mut number = usize::from(self.byte());
        if end > 0x100 {
            number = number << 8 | usize::from(self.byte());
        }
        number % end
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    pub(crate) fn bool(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(crate) fn u64(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    pub(crate) fn bytes(&mut self, most: usize) -> &'a [u8] {
        let len = self.below(most + 1).min(self.rest.len());
        let (front, rest) = self.rest.split_at(len);
        self.rest = rest;
        front
    }

    /// A number, mostly one at which something could change.
    pub(crate) fn number(&mut self) -> u64 {
        const EDGES: &[u64] = &[
            0,
            1,
            2,
            3,
            4,
            5,
            10,
            16,
            80,
            100,
            128,
            200,
            255,
            256,
            500,
            503,
            599,
            600,
            1_000,
            10_000,
            65_535,
            65_536,
            1_000_000,
            999_999_999,
            1_000_000_000,
            i32::MAX as u64,
            u32::MAX as u64,
            u32::MAX as u64 + 1,
            i64::MAX as u64,
            i32::MIN as i64 as u64,
            i64::MIN as u64,
            u64::MAX,
            u64::MAX - 1,
            315_576_000_000,
            315_576_000_001,
            u64::MAX - 315_576_000_000,
        ];
        match self.byte() % 8 {
            0 => self.u64(),
            1 => u64::from(self.byte()),
            _ => *self.pick(EDGES),
        }
    }

    pub(crate) fn float(&mut self) -> f64 {
        const EDGES: &[f64] = &[
            0.0,
            1.0,
            -1.0,
            0.5,
            1.5,
            2.0,
            99.9,
            100.0,
            100.1,
            1e-9,
            1e9,
            1e308,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
            f64::MAX,
            -0.0,
        ];
        match self.byte() % 4 {
            0 => f64::from_bits(self.u64()),
            _ => *self.pick(EDGES),
        }
    }

    /// A text, mostly one that means something.
    pub(crate) fn text(&mut self) -> String {
        match self.byte() % 8 {
            0 => String::from_utf8_lossy(self.bytes(24)).into_owned(),
            1 => format!("{}{}", self.pick(TEXTS), self.pick(TEXTS)),
            2 => {
                let (times, text) = (self.below(600), *self.pick(TEXTS));
                text.repeat(times)
            }
            _ => (*self.pick(TEXTS)).to_owned(),
        }
    }

    /// A short text, mostly one that means something.
    pub(crate) fn word(&mut self) -> String {
        match self.byte() % 4 {
            0 => String::from_utf8_lossy(self.bytes(8)).into_owned(),
            1 => format!("{}{}", self.pick(TEXTS), self.pick(TEXTS)),
            _ => (*self.pick(TEXTS)).to_owned(),
        }
    }
}
