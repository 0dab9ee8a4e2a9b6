//! The server's side of one delta stream.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mesh_proto::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource as Wrapper,
};

use super::front::{Front, Received};
use super::log::{AdsRequest, AdsResponse, Answer, StreamKind};
use super::published::{Content, Published, TypeState, full_state, order};

/// Responses that may wait for an answer; older ones are forgotten.
const UNSETTLED: usize = 1_000;

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Delta {
    types: BTreeMap<String, Subscription>,
}

#[derive(Debug, Default)]
struct Subscription {
    names: BTreeSet<String>,
    wildcard: bool,
    /// The first request was taken.
    begun: bool,
    /// A wildcard waits for its first answer, even an empty one.
    asked: bool,
    /// What the client knows: a version, or that there is no such resource.
    known: BTreeMap<String, Option<String>>,
    /// Responses without an answer: nonce and version.
    unsettled: VecDeque<(String, String)>,
}

impl Subscription {
    fn subscribe(&mut self, request: &DeltaDiscoveryRequest) {
        let first = !std::mem::replace(&mut self.begun, true);
        let subscribe = &request.resource_names_subscribe;
        if first {
            // Only what the client holds already does not have to be sent.
            let held = &request.initial_resource_versions;
            let held = held
                .iter()
                .map(|(name, version)| (name.clone(), Some(version.clone())));
            self.known = held.collect();
            self.wildcard = subscribe.is_empty() && full_state(&request.type_url);
            self.asked = self.wildcard;
        }
        for name in subscribe {
            if name == "*" {
                self.asked |= !self.wildcard;
                self.wildcard = true;
                continue;
            }
            self.names.insert(name.clone());
            if !first {
                self.known.remove(name);
            }
        }
        for name in &request.resource_names_unsubscribe {
            if name == "*" {
                self.wildcard = false;
                let names = &self.names;
                self.known.retain(|name, _| names.contains(name));
                continue;
            }
            self.names.remove(name);
            // Under a wildcard it is sent again: the client may have thrown it away.
            self.known.remove(name);
        }
    }

    fn settle(&mut self, request: &DeltaDiscoveryRequest) -> Option<Answer> {
        let nonce = &request.response_nonce;
        let place = self.unsettled.iter().position(|(of, _)| of == nonce)?;
        let (_, version) = self.unsettled.remove(place)?;
        Some(match &request.error_detail {
            Some(error) => Answer::Nack(version, error.message.clone()),
            None => Answer::Ack(version),
        })
    }

    /// The names to send and those to remove, if there is anything to say.
    fn due(&mut self, state: &TypeState) -> Option<(Vec<String>, Vec<String>)> {
        let (mut send, mut removed) = (Vec::new(), Vec::new());
        for (name, entry) in &state.entries {
            let wanted = self.wildcard || self.names.contains(name);
            let version = Some(entry.version.to_string());
            if wanted && self.known.get(name) != Some(&version) {
                self.known.insert(name.clone(), version);
                send.push(name.clone());
            }
        }
        for name in &self.names {
            if !state.entries.contains_key(name) && self.known.get(name) != Some(&None) {
                self.known.insert(name.clone(), None);
                removed.push(name.clone());
            }
        }
        let names = &self.names;
        self.known.retain(|name, _| {
            let kept = names.contains(name) || state.entries.contains_key(name);
            if !kept {
                removed.push(name.clone());
            }
            kept
        });
        let asked = std::mem::take(&mut self.asked);
        (asked || !send.is_empty() || !removed.is_empty()).then_some((send, removed))
    }
}

impl Front for Delta {
    type Request = DeltaDiscoveryRequest;
    type Response = DeltaDiscoveryResponse;
    const KIND: StreamKind = StreamKind::Delta;

    fn new(_: bool) -> Self {
        Self::default()
    }

    fn receive(&mut self, request: DeltaDiscoveryRequest) -> Received {
        let subscription = self.types.entry(request.type_url.clone()).or_default();
        let answer = subscription.settle(&request);
        // Subscriptions are changes, so each counts, whatever its nonce.
        subscription.subscribe(&request);
        let mut subscribed = subscription.names.clone();
        if subscription.wildcard {
            subscribed.insert("*".to_owned());
        }
        Received {
            subscribed,
            request: AdsRequest {
                kind: StreamKind::Delta,
                type_url: request.type_url,
                node: request.node,
                names: request.resource_names_subscribe,
                unsubscribed: request.resource_names_unsubscribe,
                initial_versions: request.initial_resource_versions,
                stale: answer.is_none() && !request.response_nonce.is_empty(),
                nonce: request.response_nonce,
                error: request
                    .error_detail
                    .map(|error| (error.code, error.message)),
                ..AdsRequest::default()
            },
            answer,
        }
    }

    fn next(&mut self, published: &Published) -> Option<DeltaDiscoveryResponse> {
        let mut types: Vec<_> = self.types.iter_mut().collect();
        types.sort_by_key(|(type_url, _)| order(type_url));
        for (type_url, subscription) in types {
            let Some(state) = published.get(type_url) else {
                continue;
            };
            if let Some((send, removed)) = subscription.due(state) {
                return Some(response(type_url, state, &send, removed));
            }
        }
        None
    }

    fn stamp(&mut self, response: &mut DeltaDiscoveryResponse, nonce: String) -> AdsResponse {
        response.nonce.clone_from(&nonce);
        let version = response.system_version_info.clone();
        if let Some(subscription) = self.types.get_mut(&response.type_url) {
            if subscription.unsettled.len() == UNSETTLED {
                subscription.unsettled.pop_front();
            }
            subscription
                .unsettled
                .push_back((nonce.clone(), version.clone()));
        }
        AdsResponse {
            kind: StreamKind::Delta,
            type_url: response.type_url.clone(),
            version,
            nonce,
            resources: response.resources.len(),
            removed: response.removed_resources.clone(),
            ..AdsResponse::default()
        }
    }
}

fn response(
    type_url: &str,
    state: &TypeState,
    names: &[String],
    removed: Vec<String>,
) -> DeltaDiscoveryResponse {
    let mut response = DeltaDiscoveryResponse {
        system_version_info: state.version.to_string(),
        type_url: type_url.to_owned(),
        removed_resources: removed,
        ..DeltaDiscoveryResponse::default()
    };
    for name in names {
        let Some(entry) = state.entries.get(name) else {
            continue;
        };
        match &entry.content {
            Content::Message(message) => response.resources.push(Wrapper {
                name: name.clone(),
                version: entry.version.to_string(),
                resource: Some(message.clone()),
                ..Wrapper::default()
            }),
            Content::Error { .. } => response.resource_errors.extend(entry.content.error(name)),
        }
    }
    response
}
