//! What a control plane has seen and said, up to a bound.

use std::collections::{BTreeMap, VecDeque};

use mesh_proto::envoy::config::core::v3::Node;

/// Entries of each list that are kept; the oldest go first.
const CAPACITY: usize = 10_000;

/// Which of the two ADS methods a stream runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamKind {
    /// `StreamAggregatedResources`: the state of the world.
    #[default]
    Sotw,
    /// `DeltaAggregatedResources`.
    Delta,
}

/// A request as it arrived.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AdsRequest {
    /// The number of its stream, from 1.
    pub stream: u64,
    /// Its place among the requests of its stream, from 1.
    pub number: u64,
    /// The kind of its stream.
    pub kind: StreamKind,
    /// The resource type.
    pub type_url: String,
    /// The node, if it was sent.
    pub node: Option<Node>,
    /// All names asked for (state of the world), or those newly subscribed to (delta).
    pub names: Vec<String>,
    /// Names unsubscribed from (delta).
    pub unsubscribed: Vec<String>,
    /// The versions that the client holds (delta).
    pub initial_versions: BTreeMap<String, String>,
    /// The last accepted version (state of the world).
    pub version: String,
    /// The nonce of the response it answers; empty if none.
    pub nonce: String,
    /// Code and text of the error, if it refuses a response.
    pub error: Option<(i32, String)>,
    /// Its nonce is not one that waits for an answer. Such a request of the state of the world is
    /// skipped.
    pub stale: bool,
}

/// A response as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AdsResponse {
    /// The number of its stream, from 1.
    pub stream: u64,
    /// The kind of its stream.
    pub kind: StreamKind,
    /// The resource type.
    pub type_url: String,
    /// The version of the whole type.
    pub version: String,
    /// The nonce.
    pub nonce: String,
    /// How many resources it holds.
    pub resources: usize,
    /// Names removed (delta).
    pub removed: Vec<String>,
    /// Its length in bytes, encoded.
    pub bytes: usize,
}

/// What a client says of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It accepts this version.
    Ack(String),
    /// It refuses this version, and says why.
    Nack(String, String),
}

/// Everything that was seen and said.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) requests: VecDeque<AdsRequest>,
    pub(super) responses: VecDeque<AdsResponse>,
    /// By type URL, in order; with the stream.
    pub(super) answers: VecDeque<(String, u64, Answer)>,
    /// By type URL.
    pub(super) request_counts: BTreeMap<String, u64>,
    pub(super) bytes_sent: u64,
}

impl Log {
    pub(super) fn request(&mut self, request: AdsRequest) {
        *self
            .request_counts
            .entry(request.type_url.clone())
            .or_default() += 1;
        push(&mut self.requests, request);
    }

    pub(super) fn response(&mut self, response: AdsResponse) {
        self.bytes_sent += response.bytes as u64;
        push(&mut self.responses, response);
    }

    /// Whether a stream's newest answer to a type accepts this version or a later one.
    pub(super) fn has_acked(&self, type_url: &str, stream: u64, version: u64) -> bool {
        let mut newest = self.answers.iter().rev();
        let last = newest.find(|(of, from, _)| of == type_url && *from == stream);
        let Some((.., Answer::Ack(acked))) = last else {
            return false;
        };
        acked.parse().is_ok_and(|acked: u64| acked >= version)
    }

    pub(super) fn answer(&mut self, type_url: String, stream: u64, answer: Answer) {
        push(&mut self.answers, (type_url, stream, answer));
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == CAPACITY {
        list.pop_front();
    }
    list.push_back(item);
}
