//! What came of a request, in text: what differs between the two is found line by line.

use std::fmt::Write as _;

use mesh_testkit::echo::Seen;
use serde_json::Value;

use crate::log::Line;

/// An answer as the client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    /// Whether it was all there.
    pub(crate) whole: bool,
}

/// All that came of a request.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub(crate) answer: Option<Answer>,
    pub(crate) seen: Vec<(&'static str, Seen)>,
    pub(crate) line: Option<Line>,
    /// The length of the body, if it is up to the proxy whether a server is told.
    pub(crate) untold_length: Option<usize>,
}

impl Outcome {
    /// What is to be the same.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        match &self.answer {
            Some(answer) => answer.write(&mut text),
            None => text.push_str("no answer\n"),
        }
        match &self.line {
            Some(line) => {
                let _ = writeln!(text, "flags: {}", line.flags);
                let _ = writeln!(text, "details: {}", line.details);
            }
            None => text.push_str("no line in the log\n"),
        }
        for (server, seen) in &self.seen {
            let (method, path, at) = (&seen.method, &seen.path, &seen.authority);
            let _ = writeln!(text, "{server} saw: {method} {path} at {at:?}");
            let _ = writeln!(text, "{server} saw: body of {:?}", seen.body_len);
            let value =
                |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = seen.headers.iter();
            let headers = headers.filter(|(name, it)| !self.is_framing(name, it));
            let headers = headers.map(|(name, it)| (name.as_str().to_owned(), value(it)));
            for line in lines(headers.collect(), false) {
                let _ = writeln!(text, "{server} saw: {line}");
            }
        }
        text
    }

    /// Whether a header only says where the body ends.
    fn is_framing(&self, name: &http::HeaderName, value: &http::HeaderValue) -> bool {
        self.untold_length
            .is_some_and(|length| match name.as_str() {
                "transfer-encoding" => value == "chunked",
                "content-length" => *value == length.to_string(),
                _ => false,
            })
    }
}

impl Answer {
    fn write(&self, text: &mut String) {
        let reporter = reporter(&self.body);
        let _ = writeln!(text, "status: {}", self.status);
        // HEAD is told the length of a report that is not there.
        let reporting = self.headers.iter().any(|(name, _)| name == "x-echo-server");
        let reported = reporter.is_some() || (reporting && self.body.is_empty());
        for line in lines(self.headers.clone(), reported) {
            let _ = writeln!(text, "{line}");
        }
        let _ = match reporter {
            Some(server) => writeln!(text, "body: of {server}"),
            None => writeln!(text, "body: {:?}", String::from_utf8_lossy(&self.body)),
        };
        for line in lines(self.trailers.clone(), false) {
            let _ = writeln!(text, "trailer {line}");
        }
        if !self.whole {
            text.push_str("cut off\n");
        }
    }
}

/// The server that reports in an answer's body, if one does.
fn reporter(body: &[u8]) -> Option<String> {
    let report: Value = serde_json::from_slice(body).ok()?;
    Some(report["server_id"].as_str()?.to_owned())
}

/// Header lines in order of their names, without what is never the same.
fn lines(mut headers: Vec<(String, String)>, report: bool) -> Vec<String> {
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    let line = |(name, value): (String, String)| match name.as_str() {
        "date" => "date".to_owned(),
        "x-envoy-upstream-service-time" => name,
        "content-length" if report => format!("{name}: of the report"),
        // What is left of a timeout, and in what unit.
        "grpc-timeout" => match milliseconds(&value) {
            Some(left) => format!("{name}: about {} ms", left.div_ceil(200) * 200),
            None => format!("{name}: {value}"),
        },
        "x-envoy-expected-rq-timeout-ms" => {
            let left: u64 = value.parse().unwrap_or_default();
            // Of a long one more may be gone.
            let step = if left > 5000 { 5000 } else { 500 };
            format!("{name}: about {}", left.div_ceil(step) * step)
        }
        _ => format!("{name}: {value}"),
    };
    headers.into_iter().map(line).collect()
}

/// The value of `grpc-timeout` (gRPC over HTTP/2), as far as whole milliseconds.
fn milliseconds(value: &str) -> Option<u64> {
    let unit = value.char_indices().next_back()?;
    let number: u64 = value[..unit.0].parse().ok()?;
    Some(match unit.1 {
        'H' => number * 3_600_000,
        'M' => number * 60_000,
        'S' => number * 1_000,
        'm' => number,
        'u' => number / 1_000,
        'n' => number / 1_000_000,
        _ => return None,
    })
}
