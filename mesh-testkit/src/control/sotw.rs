//! The server's side of one state-of-the-world stream.

use std::collections::{BTreeMap, BTreeSet};

use mesh_proto::Any;
use mesh_proto::envoy::service::discovery::v3::{
    DiscoveryRequest, DiscoveryResponse, Resource as Wrapper,
};

use super::front::{Front, Received};
use super::log::{AdsRequest, AdsResponse, Answer, StreamKind};
use super::published::{Content, Published, TypeState, full_state, order};

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Sotw {
    types: BTreeMap<String, Subscription>,
    wrap: bool,
}

#[derive(Debug, Default)]
struct Subscription {
    names: BTreeSet<String>,
    wildcard: bool,
    /// Names were given on this stream: an empty list is no wildcard any more.
    named: bool,
    /// A request waits for its answer, even if nothing has changed.
    asked: bool,
    /// What the client was sent: the version of each resource.
    sent: BTreeMap<String, u64>,
    /// The last response: its nonce and version.
    last: Option<(String, String)>,
    /// The last response was acknowledged or refused.
    settled: bool,
}

impl Subscription {
    fn subscribe(&mut self, type_url: &str, names: &[String]) {
        let first = !self.named && !self.wildcard && self.names.is_empty();
        let mut names: BTreeSet<_> = names.iter().cloned().collect();
        if names.is_empty() {
            self.wildcard = !self.named && full_state(type_url);
        } else {
            self.named = true;
            self.wildcard = names.remove("*");
        }
        let added = names.difference(&self.names).count() > 0;
        self.asked |= first || added;
        // What a name is subscribed to anew is sent again, although it has not changed.
        let (old, wildcard) = (&self.names, self.wildcard);
        self.sent
            .retain(|name, _| wildcard || (names.contains(name) && old.contains(name)));
        self.names = names;
    }

    /// Takes the nonce of a request that is not stale.
    fn settle(&mut self, request: &DiscoveryRequest) -> Option<Answer> {
        let (_, version) = self.last.as_ref()?;
        if self.settled {
            return None;
        }
        if let Some(error) = &request.error_detail {
            self.settled = true;
            return Some(Answer::Nack(version.clone(), error.message.clone()));
        }
        if request.version_info != *version {
            return None;
        }
        self.settled = true;
        Some(Answer::Ack(version.clone()))
    }

    /// The names to send now, if there is anything to say.
    fn due(&mut self, type_url: &str, state: &TypeState) -> Option<Vec<String>> {
        let wanted: BTreeMap<_, _> = state
            .entries
            .iter()
            .filter(|(name, _)| self.wildcard || self.names.contains(*name))
            .map(|(name, entry)| (name.clone(), entry.version))
            .collect();
        let asked = std::mem::take(&mut self.asked);
        let names: Vec<_> = if full_state(type_url) {
            if !asked && wanted == self.sent {
                return None;
            }
            wanted.keys().cloned().collect()
        } else {
            let changed = |(name, version): &(&String, &u64)| self.sent.get(*name) != Some(version);
            let names: Vec<_> = wanted.iter().filter(changed).collect();
            if names.is_empty() {
                return None;
            }
            names.into_iter().map(|(name, _)| name.clone()).collect()
        };
        self.sent = wanted;
        Some(names)
    }
}

impl Front for Sotw {
    type Request = DiscoveryRequest;
    type Response = DiscoveryResponse;
    const KIND: StreamKind = StreamKind::Sotw;

    fn new(wrap: bool) -> Self {
        Self {
            types: BTreeMap::new(),
            wrap,
        }
    }

    fn receive(&mut self, request: DiscoveryRequest) -> Received {
        let subscription = self.types.entry(request.type_url.clone()).or_default();
        let last = subscription.last.as_ref();
        let stale = last.is_some_and(|(nonce, _)| *nonce != request.response_nonce);
        let mut answer = None;
        // A request that does not know the last response yet is skipped as a whole: the client
        // sends another one once it has read that response.
        if !stale {
            answer = subscription.settle(&request);
            subscription.subscribe(&request.type_url, &request.resource_names);
        }
        let mut subscribed = subscription.names.clone();
        if subscription.wildcard {
            subscribed.insert("*".to_owned());
        }
        Received {
            subscribed,
            answer,
            request: AdsRequest {
                kind: StreamKind::Sotw,
                type_url: request.type_url,
                node: request.node,
                names: request.resource_names,
                version: request.version_info,
                nonce: request.response_nonce,
                error: request
                    .error_detail
                    .map(|error| (error.code, error.message)),
                stale,
                ..AdsRequest::default()
            },
        }
    }

    fn next(&mut self, published: &Published) -> Option<DiscoveryResponse> {
        let mut types: Vec<_> = self.types.iter_mut().collect();
        types.sort_by_key(|(type_url, _)| order(type_url));
        for (type_url, subscription) in types {
            let Some(state) = published.get(type_url) else {
                continue;
            };
            if let Some(names) = subscription.due(type_url, state) {
                return Some(response(type_url, state, &names, self.wrap));
            }
        }
        None
    }

    fn stamp(&mut self, response: &mut DiscoveryResponse, nonce: String) -> AdsResponse {
        response.nonce.clone_from(&nonce);
        if let Some(subscription) = self.types.get_mut(&response.type_url) {
            subscription.last = Some((nonce.clone(), response.version_info.clone()));
            subscription.settled = false;
        }
        AdsResponse {
            kind: StreamKind::Sotw,
            type_url: response.type_url.clone(),
            version: response.version_info.clone(),
            nonce,
            resources: response.resources.len(),
            removed: Vec::new(),
            ..AdsResponse::default()
        }
    }
}

fn response(type_url: &str, state: &TypeState, names: &[String], wrap: bool) -> DiscoveryResponse {
    let mut response = DiscoveryResponse {
        version_info: state.version.to_string(),
        type_url: type_url.to_owned(),
        ..DiscoveryResponse::default()
    };
    for name in names {
        let Some(entry) = state.entries.get(name) else {
            continue;
        };
        match &entry.content {
            Content::Message(message) if wrap => response.resources.push(Any::pack(&Wrapper {
                name: name.clone(),
                version: entry.version.to_string(),
                resource: Some(message.clone()),
                ..Wrapper::default()
            })),
            Content::Message(message) => response.resources.push(message.clone()),
            Content::Error { .. } => response.resource_errors.extend(entry.content.error(name)),
        }
    }
    response
}
