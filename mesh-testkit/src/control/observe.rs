//! What a control plane has seen, for assertions.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::ControlPlane;
use super::log::{AdsRequest, AdsResponse, Answer, StreamKind};
use super::plane::State;
use crate::waiting::until;

/// What it has seen.
impl ControlPlane {
    /// How many streams of a kind are open.
    #[must_use]
    pub fn streams(&self, kind: StreamKind) -> usize {
        self.look(|state| {
            let streams = state.streams.values();
            streams.filter(|stream| stream.kind == kind).count()
        })
    }

    /// How many streams were ever opened; refused ones are not among them.
    #[must_use]
    pub fn streams_total(&self) -> u64 {
        self.look(|state| state.opened)
    }

    /// How many streams were refused.
    #[must_use]
    pub fn streams_refused(&self) -> u64 {
        self.look(|state| state.refused)
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.server.accepted()
    }

    /// How many connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> u64 {
        self.server.open()
    }

    /// The requests so far, oldest first; of very many, the last 10,000.
    #[must_use]
    pub fn requests(&self) -> Vec<AdsRequest> {
        self.look(|state| state.log.requests.iter().cloned().collect())
    }

    /// The requests of one type.
    #[must_use]
    pub fn requests_of(&self, type_url: &str) -> Vec<AdsRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.type_url == type_url);
        requests
    }

    /// How many requests of a type there were.
    #[must_use]
    pub fn request_count(&self, type_url: &str) -> u64 {
        self.look(|state| state.log.request_counts.get(type_url).copied().unwrap_or(0))
    }

    /// The responses so far, oldest first; of very many, the last 10,000.
    #[must_use]
    pub fn responses(&self) -> Vec<AdsResponse> {
        self.look(|state| state.log.responses.iter().cloned().collect())
    }

    /// How many bytes of responses were sent, before framing.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.look(|state| state.log.bytes_sent)
    }

    /// The versions of a type that were accepted, in order.
    #[must_use]
    pub fn acks(&self, type_url: &str) -> Vec<String> {
        self.answers(type_url, |answer| match answer {
            Answer::Ack(version) => Some(version.clone()),
            Answer::Nack(..) => None,
        })
    }

    /// The versions of a type that were refused, with the reason, in order.
    #[must_use]
    pub fn nacks(&self, type_url: &str) -> Vec<(String, String)> {
        self.answers(type_url, |answer| match answer {
            Answer::Nack(version, why) => Some((version.clone(), why.clone())),
            Answer::Ack(_) => None,
        })
    }

    /// Whether every client that is subscribed to a type has accepted what is live of it, as far as
    /// it is subscribed; false if there is none. Of names taken away only listeners and clusters
    /// count: a stream of the state of the world cannot tell of others.
    #[must_use]
    pub fn is_acked(&self, type_url: &str) -> bool {
        self.look(|state| {
            let mut subscribed = state
                .streams
                .iter()
                .filter_map(|(id, stream)| Some((*id, stream.subscribed.get(type_url)?)))
                .filter(|(_, names)| !names.is_empty())
                .peekable();
            subscribed.peek().is_some()
                && subscribed.all(|(id, names)| {
                    let needed = state.live.relevant(type_url, names);
                    needed.is_some_and(|needed| state.log.has_acked(type_url, id, needed))
                })
        })
    }

    /// All names of a type that open streams are subscribed to; `*` for a wildcard.
    #[must_use]
    pub fn subscribed(&self, type_url: &str) -> BTreeSet<String> {
        self.look(|state| {
            let streams = state.streams.values();
            let names = streams.filter_map(|stream| stream.subscribed.get(type_url));
            names.flatten().cloned().collect()
        })
    }

    /// Waits until `reached` holds; it is asked again whenever anything was seen or said.
    ///
    /// # Panics
    /// After 30 s, naming `what` and the last requests and responses.
    pub async fn wait_for(&self, what: &str, mut reached: impl FnMut(&Self) -> bool) {
        let changes = self.plane.changes();
        until(changes, what, || reached(self), || self.describe()).await;
    }

    /// Waits until what is live of a type is accepted; see [`is_acked`](Self::is_acked).
    ///
    /// # Panics
    /// After 30 s.
    pub async fn wait_acked(&self, type_url: &str) {
        let what = format!("an ACK of {type_url}");
        self.wait_for(&what, |plane| plane.is_acked(type_url)).await;
    }

    /// Waits until there were this many refusals of a type, and gives the last one's reason.
    ///
    /// # Panics
    /// After 30 s.
    pub async fn wait_nacked(&self, type_url: &str, count: usize) -> String {
        let what = format!("{count} NACKs of {type_url}");
        self.wait_for(&what, |plane| plane.nacks(type_url).len() >= count)
            .await;
        let last = self.nacks(type_url).pop();
        last.map(|(_, why)| why).unwrap_or_default()
    }

    fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.plane.look(look)
    }

    fn answers<T>(&self, type_url: &str, pick: impl Fn(&Answer) -> Option<T>) -> Vec<T> {
        self.look(|state| {
            let answers = state.log.answers.iter();
            let of_type = answers.filter(|(of, ..)| of == type_url);
            of_type.filter_map(|(.., answer)| pick(answer)).collect()
        })
    }

    fn describe(&self) -> String {
        self.look(|state| {
            let mut text = format!(
                "{} of {} streams open, {} refused",
                state.streams.len(),
                state.opened,
                state.refused
            );
            for request in state.log.requests.iter().rev().take(8).rev() {
                let _ = write!(text, "\n{request:?}");
            }
            for response in state.log.responses.iter().rev().take(8).rev() {
                let _ = write!(text, "\n{response:?}");
            }
            text
        })
    }
}
